"""What every connector can do: open a connection to a host and run commands on it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from core.command import Command
from core.host import Target
from core.outcome.base import Outcome


class HostConnectionError(Exception):
    """A host could not be reached, or was lost; `outcome` is the verdict, ready for the record."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence())
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command on a host ended."""

    exit_status: int | None
    """Its exit status; None where a signal ended it."""
    signal: str | None
    """The signal's name without SIG, such as TERM; None where it exited."""
    stdout: str
    """What it wrote there, undecodable bytes replaced, head and tail of `core.journal.OUTPUT_LIMIT` bytes kept."""
    stderr: str
    """The same for the other stream."""


class CommandNotSentError(Exception):
    """A command was not sent: this process stood still before it could be, and may not be meant to any more."""


class CommandTimeoutError(TimeoutError):
    """A command on a host did not end in time, and may go on there; `so_far` is what it had written until then."""

    def __init__(self, so_far: Completed) -> None:
        super().__init__("the command did not end in time")
        self.so_far = so_far


class HostSession(Protocol):
    """An open connection to one host."""

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command without a tty and wait for its end.

        Args:
            command: the words; each reaches the host as one word.
            timeout: seconds after which the wait is given up (the remote command may go on).

        Raises:
            CommandTimeoutError: the limit ran out; the session can still be used.
            HostConnectionError: the connection was lost: what the command did is not known.
            CommandNotSentError: it was not sent, since the process stood still; the session can still be used.
        """


class Executor(Protocol):
    """A way to hosts. One per worker process; safe for hundreds of hosts at a time."""

    def connect(self, target: Target) -> AbstractAsyncContextManager[HostSession]:
        """Open a connection; leaving the context closes it, abruptly where it does not close in time.

        Raises:
            HostConnectionError: on entering: unreachable, host key wrong or not pinned, login refused, timed out.
        """

    async def aclose(self) -> None:
        """Give back what the connector itself holds."""
