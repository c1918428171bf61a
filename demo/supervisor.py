"""Child processes of a system: starts them, restarts those that die, and stops all of them at the end."""

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
"""Seconds after SIGTERM until a child must have ended."""
MAX_RESTARTS = 5


class ChildFailedError(Exception):
    """A child process ended that was needed, or did not start. The message says which, and where its output is."""


@dataclass(slots=True)
class Child:
    """One process of the system."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    restarted: bool
    """Whether the supervisor starts it again when it dies."""
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C in the terminal reaches only this process."""
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
        """Its exit status; None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        """Send it SIGTERM."""
        if self.process and self.ended is None:
            self.process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic seconds), then kill it."""
        if not self.process:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def has_said(self, text: str) -> bool:
        """Return whether its output so far contains a text."""
        return self.log.exists() and text in self.log.read_text(errors="replace")

    def read_tail(self, lines: int = 15) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


@dataclass(slots=True)
class Supervisor:
    """Owns child processes. Leaving the context stops them, the last one first."""

    logs: Path
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, restarted: bool = False
    ) -> Child:
        """Start a child. Its output goes to a file with its name."""
        child = Child(name, command, environment, self.logs / f"{name}.log", restarted)
        child.start()
        self.children.append(child)
        return child

    def watch(self) -> list[str]:
        """Restart children that died, and return a line for each.

        Raises:
            ChildFailedError: a child died that is not restarted, or one died too often.
        """
        lines = []
        for child in self.children:
            if child.ended is None:
                continue
            if not child.restarted or child.restarts >= MAX_RESTARTS:
                raise ChildFailedError(
                    f"{child.name} ended with {child.ended}; its output is {child.log}:\n{child.read_tail()}"
                )
            lines.append(f"{child.name} ended with {child.ended}, started again")
            child.restarts += 1
            child.start()
        return lines

    def stop(self) -> None:
        """Stop all children: in the reverse order of their start, those with the same command together."""
        for _, alike in groupby(reversed(self.children), key=lambda child: child.command):
            together = list(alike)
            for child in together:
                child.stop()
            deadline = time.monotonic() + _GRACE
            for child in together:
                child.finish(deadline)
        self.children.clear()


def main() -> None:
    """Execute the command in the arguments, with a signal from the kernel when the parent ends."""
    die_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
