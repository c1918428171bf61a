"""What every executor can do: open a connection to a host and run commands on it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from core.command import Command
from core.host import Target
from core.outcome.base import Outcome


class HostConnectionError(Exception):
    """A host could not be reached, or the connection to it was lost; `outcome` says why, ready for the record."""

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
    """What it wrote there: undecodable bytes are replaced, and only head and tail of a long output are kept."""
    stderr: str
    """The same for the other stream."""


class CommandNotSentError(Exception):
    """A command was not sent: this process was frozen before that, and may have lost its right to send it."""


class CommandTimeoutError(TimeoutError):
    """A command on a host did not end in time, and may still run there; `so_far` is what it had written until then."""

    def __init__(self, so_far: Completed) -> None:
        super().__init__("the command did not end in time")
        self.so_far = so_far


class HostSession(Protocol):
    """An open connection to one host."""

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command without a tty and wait for its end.

        Args:
            command: the words; each reaches the host as one word.
            timeout: seconds to wait; the remote command may run on.

        Raises:
            CommandTimeoutError: the time is over; the session can still be used.
            HostConnectionError: the connection was lost; what the command did is not known.
            CommandNotSentError: it was not sent, since the process was frozen; the session can still be used.
        """


class Executor(Protocol):
    """A way to reach hosts. One per worker process, for hundreds of hosts at a time."""

    def connect(self, target: Target) -> AbstractAsyncContextManager[HostSession]:
        """Open a connection; leaving the context closes it, abruptly where it does not close in time.

        Raises:
            HostConnectionError: on entering: unreachable, host key wrong or not pinned, login refused, timed out.
        """

    async def aclose(self) -> None:
        """Release what the executor itself holds."""
