"""What happened to a subtask, as a value: one class and one sentence for each way it can end.

A host's failure is never an exception; only our own bugs are. Workers return an outcome, the record keeps whether it
succeeded, and the log keeps its sentence. The sentence of a failure says what to do next.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Outcome(ABC):
    """How one run of a subtask ended."""

    successful: ClassVar[bool] = False

    @property
    def agent_alive(self) -> bool | None:
        """Whether the run last saw the host's agent alive; None where it did not look."""
        return None

    @abstractmethod
    def sentence(self) -> str:
        """Return the verdict for people: what happened and, for a failure, the way out."""


@dataclass(frozen=True, slots=True)
class Success(Outcome, ABC):
    """The subtask did what it was for."""

    successful: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Done(Success):
    """A step that changes nothing on a host did its work."""

    what: str
    """The whole sentence."""

    @override
    def sentence(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class PassedOver(Success):
    """Nothing had to be done, for example because a person skipped the subtask."""

    why: str
    """The reason, without a full stop."""

    @override
    def sentence(self) -> str:
        return f"Nothing was done: {self.why}."


@dataclass(frozen=True, slots=True)
class TimedOut(Outcome):
    """A time limit ran out."""

    doing: str
    """What was going on, such as "logging in to HOST"."""
    limit_seconds: float

    @override
    def sentence(self) -> str:
        return f"Timed out: {self.limit_seconds:g} s ran out while {self.doing}. Look at the host, then retry."


@dataclass(frozen=True, slots=True)
class Abandoned(Outcome):
    """A person cancelled the run."""

    @override
    def sentence(self) -> str:
        return (
            "Cancelled: the work on this host was abandoned. A command that was already sent may still have run there. "
            "Retry to look again and finish the work, or skip."
        )


@dataclass(frozen=True, slots=True)
class WorkersLost(Outcome):
    """Several workers died while they worked on this host, the last ones with no other suspect host beside it."""

    losses: int

    @override
    def sentence(self) -> str:
        return (
            f"Workers lost: {self.losses} workers died while they worked on this host, the last ones with no other "
            "suspect host beside it, so ocpfleet does not try it again by itself. Find out from the workers' logs why "
            "they died, then retry."
        )


@dataclass(frozen=True, slots=True)
class InternalError(Outcome):
    """A bug in ocpfleet; the worker's log has the traceback."""

    error: str

    @override
    def sentence(self) -> str:
        return f"Internal error: {self.error}. This is a bug in ocpfleet; the worker's log has the traceback."


def format_pids(pids: tuple[int, ...]) -> str:
    """Return processes the way a sentence names them."""
    match pids:
        case ():
            return "no process"
        case (pid,):
            return f"process {pid}"
        case _:
            return "processes " + ", ".join(map(str, pids))
