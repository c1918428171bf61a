"""Child processes that belong together: started, watched, restarted when they die, and all stopped at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Self

from demo.processes import die_with_parent

_GRACE = 8.0
"""Seconds that a child may take to end after SIGTERM."""
_MOST_RESTARTS = 5


class ChildFailedError(Exception):
    """A child process ended although it was needed. The sentence says which, and where its output is."""


@dataclass(slots=True)
class Child:
    """One process of the system."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    restarted: bool
    """Whether it is started again when it dies."""
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C in the terminal reaches only us."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo.supervisor", *self.command],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def ended(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        """Ask it to end."""
        if self.process and self.ended is None:
            self.process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic seconds), then end it."""
        if not self.process:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def has_said(self, text: str) -> bool:
        """Return whether this is in its output so far."""
        return self.log.exists() and text in self.log.read_text(errors="replace")

    def tail(self, lines: int = 15) -> str:
        """Return the end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


@dataclass(slots=True)
class Supervisor:
    """Keeps children; leaving the context stops them, the last one first."""

    logs: Path
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, restarted: bool = False
    ) -> Child:
        """Start a child; its output goes to a file of its name."""
        child = Child(name, command, environment, self.logs / f"{name}.log", restarted)
        child.start()
        self.children.append(child)
        return child

    def watch(self) -> list[str]:
        """Start children that died anew, where that is wanted, and return a line for each.

        Raises:
            ChildFailedError: one that must not die died, or one died again and again.
        """
        lines = []
        for child in self.children:
            if child.ended is None:
                continue
            if not child.restarted or child.restarts >= _MOST_RESTARTS:
                raise ChildFailedError(
                    f"{child.name} ended with {child.ended}; its output is {child.log}:\n{child.tail()}"
                )
            lines.append(f"{child.name} ended with {child.ended}, started again")
            child.restarts += 1
            child.start()
        return lines

    def stop(self) -> None:
        """Stop all children: users of a thing before the thing, and those that do the same, together."""
        for _, alike in groupby(reversed(self.children), key=lambda child: child.command):
            together = list(alike)
            for child in together:
                child.stop()
            deadline = time.monotonic() + _GRACE
            for child in together:
                child.finish(deadline)
        self.children.clear()


def main() -> None:
    """Become the command in our arguments, told by the kernel to end when the process that started us ends."""
    die_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
