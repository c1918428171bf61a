"""The log of one run of a subtask: what was done, what the host answered, how the run ended, and when.

A journal grows while the run goes on, and takes the time from the clock that it is given. The store keeps it;
`app.tasks.log_view` formats it the way OCP's clients expect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from core.command import Command
from core.outcome.base import Outcome
from core.status import Operation

OUTPUT_LIMIT = 64 * 1024
"""The most bytes that a journal keeps of one output stream: half from its head, half from its tail."""


class Level(StrEnum):
    """How much a line matters."""

    INFO = "INFO"
    """What was done, or answered."""
    WARN = "WARN"
    """Something that did not end the run, but that a person should know."""
    ERROR = "ERROR"
    """Why the run failed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal. `at` is in milliseconds since the epoch."""

    at: int
    level: Level
    text: str


@dataclass(slots=True)
class Journal:
    """The lines of one run, in order. `clock` returns milliseconds since the epoch."""

    clock: Callable[[], int]
    lines: list[Line] = field(default_factory=list)
    size: int = 0
    """The characters of all lines together."""
    touched: bool = False
    """Whether the run changed the agent on its host, or may have. It is set before the command that can do so."""
    agent_alive: bool | None = None
    """Whether the run last saw the host's agent alive, even if the run was broken off; None where it did not look."""

    def add(self, text: str, level: Level = Level.INFO) -> None:
        """Add a line."""
        self.lines.append(Line(self.clock(), level, text))
        self.size += len(text)

    def add_command(self, command: Command) -> None:
        """Add the command that is about to run, with its secrets masked."""
        self.add(f"$ {command.render_masked()}")

    def add_output(self, *, exit_status: int | None, signal: str | None, stdout: str, stderr: str) -> None:
        """Add how a command ended and both its outputs, each clipped to `OUTPUT_LIMIT`."""
        ended = f"signal {signal}" if signal else f"exit status {exit_status}"
        self.add(ended)
        for name, text in (("stdout", stdout), ("stderr", stderr)):
            if text:
                self.add(f"{name}: {clip(text)}")

    def texts(self) -> list[str]:
        """Return the texts of the lines, for the process's own log where the journal is not stored."""
        return [line.text for line in self.lines]

    def add_outcome(self, outcome: Outcome) -> None:
        """Add how the run ended."""
        self.add(outcome.sentence(), Level.INFO if outcome.successful else Level.ERROR)


@dataclass(frozen=True, slots=True)
class RunLog:
    """The log of one run of a subtask, as the store keeps it."""

    operation: Operation
    """Why the subtask ran."""
    run_time: int
    """The number of the run, from 1."""
    executor: str
    """The worker process that ran it."""
    lines: tuple[Line, ...]
    """What was done, answered and decided, in order."""
    closed: bool = True
    """Whether it includes the run's end. If not, it has what was done when it was last written: the run goes on, or it
    was cancelled or lost with its worker."""


def clip(text: str, limit: int = OUTPUT_LIMIT) -> str:
    """Return a text of at most about `limit` bytes of UTF-8: its head, its tail, and how much is left out between."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    half = limit // 2
    head = raw[:half].decode(errors="ignore")
    tail = raw[-half:].decode(errors="ignore")
    return f"{head}\n… {len(raw) - 2 * half} bytes left out …\n{tail}"
