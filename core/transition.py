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
class Succeeded:
    """Its run did what it was for."""

    series_id: int
    token: int
    """The claim under which it ran; the move is refused where it no longer stands."""
    log: RunLog
    agent_alive: bool | None = None
    """What the last look at the host said of its agent; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Its run did not do what it was for."""

    series_id: int
    token: int
    """The claim under which it ran; the move is refused where it no longer stands."""
    log: RunLog
    agent_alive: bool | None = None
    """What the last look at the host said of its agent; None where nobody looked."""


Settled = Succeeded | Failed
"""How a run can end."""


@dataclass(frozen=True, slots=True)
class Retried:
    """A person wants it to run again."""

    series_id: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person declared it successful: it runs once more, as a no-op."""

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
        Failed: Move(frozenset({Status.RUNNING}), Status.FAILED),
        CancelAsked: Move(frozenset({Status.RUNNING}), Status.CANCELING),
        Cancelled: Move(frozenset({Status.CANCELING}), Status.FAILED),
        CalledOff: Move(frozenset({Status.READY}), Status.FAILED),
        Retried: Move(frozenset({Status.FAILED}), Status.READY),
        Skipped: Move(frozenset({Status.FAILED}), Status.READY),
    }
)
"""The legal moves. A subtask that nothing happened to is READY once its step is opened (see `TaskRecord.untouched`)."""

GOING_ON: Final = MOVES[Succeeded].sources | MOVES[Failed].sources | MOVES[Cancelled].sources
"""The statuses of a subtask that a worker is at, and may write about."""
