"""The moves that a subtask can make, each a type with its own data, and the one table that says which are legal.

The store applies a move only to a subtask whose status is among the move's sources; whoever lost a race is told so and
changes nothing.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.journal import RunLog
from core.status import Status


@dataclass(frozen=True, slots=True)
class Claimed:
    """A worker took the right to run it."""

    series_id: int


@dataclass(frozen=True, slots=True)
class _Ended:
    series_id: int
    token: int
    """The claim under which it ran; the move is refused where it no longer stands."""
    log: RunLog
    agent_alive: bool | None = None
    """What the last look at the host said of its agent; None where nobody looked."""
    touched: bool = False
    """Whether the run changed the agent on the host, or may have: a command was on its way."""


@dataclass(frozen=True, slots=True)
class Succeeded(_Ended):
    """Its run did what it was for."""


@dataclass(frozen=True, slots=True)
class Undone(_Ended):
    """Its run undid what earlier runs did; refused for a run that was not there to undo."""


@dataclass(frozen=True, slots=True)
class Failed(_Ended):
    """Its run did not do what it was for."""


Settled = Succeeded | Undone | Failed
"""How a run can end."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Its worker is gone, or gave the claim up: it runs again, as the same run."""

    series_id: int


@dataclass(frozen=True, slots=True)
class Retried:
    """A person wants it to run again."""

    series_id: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person declared it successful: it runs once more, as a no-op."""

    series_id: int


@dataclass(frozen=True, slots=True)
class RollbackAsked:
    """A person wants what it did to be undone, and the undoing of its step has begun."""

    series_id: int


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """A person wants its run to be abandoned."""

    series_id: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Its run was abandoned, or ended by itself after that had been asked for."""

    series_id: int


@dataclass(frozen=True, slots=True)
class CalledOff:
    """It will not be run: its task was cancelled before anybody claimed it."""

    series_id: int


@dataclass(frozen=True, slots=True)
class Move:
    """From where a transition may start, and where it leads."""

    sources: frozenset[Status]
    to: Status


MOVES: Final = MappingProxyType(
    {
        Claimed: Move(frozenset({Status.READY}), Status.RUNNING),
        Succeeded: Move(frozenset({Status.RUNNING}), Status.SUCCESSFUL),
        Undone: Move(frozenset({Status.RUNNING}), Status.PENDING),
        Failed: Move(frozenset({Status.RUNNING}), Status.FAILED),
        Lost: Move(frozenset({Status.RUNNING}), Status.READY),
        CancelAsked: Move(frozenset({Status.RUNNING}), Status.CANCELING),
        Cancelled: Move(frozenset({Status.CANCELING}), Status.FAILED),
        CalledOff: Move(frozenset({Status.READY}), Status.FAILED),
        Retried: Move(frozenset({Status.FAILED}), Status.READY),
        Skipped: Move(frozenset({Status.FAILED}), Status.READY),
        RollbackAsked: Move(frozenset({Status.FAILED, Status.SUCCESSFUL}), Status.READY),
    }
)
"""The legal moves. Two are made by opening a step and not by writing each subtask (see `TaskRecord.derive_subtask`):
one that nothing happened to is READY once its step is opened, one that is SUCCESSFUL is READY once its step is being
undone."""

GOING_ON: Final = MOVES[Succeeded].sources | MOVES[Failed].sources | MOVES[Cancelled].sources
"""The statuses of a subtask that a worker is at, and may write about."""
