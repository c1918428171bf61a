"""The log of one run of a subtask: what was done, what the host answered, the verdict, and when.

A journal is a value that grows while the run goes on; it takes the time from a clock that it is given. The store keeps
it; `app.tasks.log_view` renders it the way OCP's clients expect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from core.command import Command
from core.outcome.base import Outcome
from core.status import Operation

OUTPUT_LIMIT = 64 * 1024
"""Bytes of one output stream that a journal keeps: its head and its tail, half each."""


class Level(StrEnum):
    """How much a line matters."""

    INFO = "INFO"
    """What was done and answered."""
    WARN = "WARN"
    """Something that did not stop the run but that a person should know."""
    ERROR = "ERROR"
    """Why the run failed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal: when (milliseconds since the epoch), how much it matters, and its text."""

    at: int
    level: Level
    text: str


@dataclass(slots=True)
class Journal:
    """The lines of one run, in order. `clock` gives milliseconds since the epoch."""

    clock: Callable[[], int]
    lines: list[Line] = field(default_factory=list)
    size: int = 0
    """Characters of all lines together."""
    touched: bool = False
    """Whether the run changed the agent on its host, or may have: set before the command that can."""
    agent_alive: bool | None = None
    """What the run saw last of the host's agent, also where it did not come to an end of its own; None: it did not."""

    def add(self, text: str, level: Level = Level.INFO) -> None:
        """Add a line."""
        self.lines.append(Line(self.clock(), level, text))
        self.size += len(text)

    def add_command(self, command: Command) -> None:
        """Add the command that is about to be run, its secrets masked."""
        self.add(f"$ {command.render_masked()}")

    def add_output(self, *, exit_status: int | None, signal: str | None, stdout: str, stderr: str) -> None:
        """Add what a command answered: how it ended and both its outputs, each clipped to `OUTPUT_LIMIT`."""
        ended = f"signal {signal}" if signal else f"exit status {exit_status}"
        self.add(f"{ended}")
        for name, text in (("stdout", stdout), ("stderr", stderr)):
            if text:
                self.add(f"{name}: {clip(text)}")

    def texts(self) -> list[str]:
        """Return the lines' texts, for the process's own log where the journal itself is not kept."""
        return [line.text for line in self.lines]

    def add_outcome(self, outcome: Outcome) -> None:
        """Add how the run ended."""
        self.add(outcome.sentence(), Level.INFO if outcome.successful else Level.ERROR)


@dataclass(frozen=True, slots=True)
class RunLog:
    """The log of one run of a subtask, as it is stored and read."""

    operation: Operation
    """Why the subtask ran."""
    run_time: int
    """Which run it was, from 1."""
    executor: str
    """The worker process that ran it."""
    lines: tuple[Line, ...]
    """What was done, answered and decided, in order."""
    closed: bool = True
    """Whether the run's end is in it. One that is not closed is what was done when it was last written: the run goes
    on, or it ended without a word, cancelled or lost with its worker."""


def clip(text: str, limit: int = OUTPUT_LIMIT) -> str:
    """Return text cut to at most about `limit` bytes of UTF-8: its head and its tail, and how much is missing."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    half = limit // 2
    head = raw[:half].decode(errors="ignore")
    tail = raw[-half:].decode(errors="ignore")
    return f"{head}\n… {len(raw) - 2 * half} bytes left out …\n{tail}"
