"""The moves that a subtask can make, and how a run of it can end.

One table says from where each move may start and where it leads. The store's scripts are generated from it: they make a
move only where the subtask's status is among the sources, and whoever lost a race is told so and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final

from core.journal import RunLog
from core.status import Status


class Move(StrEnum):
    """What can happen to a subtask."""

    CLAIM = "claim"
    """A worker takes the right to run it."""
    SUCCEED = "succeed"
    """Its run did what it was for."""
    UNDO = "undo"
    """Its run undid what earlier runs did."""
    FAIL = "fail"
    """Its run did not do what it was for, or lost its worker too often, or when nobody wants it any more."""
    LOSE = "lose"
    """Its worker is gone, or gave the claim up: it runs again, as the same run."""
    ASK_CANCEL = "ask_cancel"
    """A person wants its run to be abandoned."""
    CANCEL = "cancel"
    """Its run was abandoned, or ended by itself after that had been asked for."""
    CALL_OFF = "call_off"
    """It will not be run: its task was cancelled before anybody claimed it."""
    RETRY = "retry"
    """A person wants it to run again."""
    SKIP = "skip"
    """A person declared it successful: it runs once more, as a no-op."""
    ASK_ROLLBACK = "ask_rollback"
    """A person wants what it did to be undone, and the undoing of its step has begun."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From where a move may start, and where it leads."""

    sources: frozenset[Status]
    target: Status


MOVES: Final[Mapping[Move, Rule]] = MappingProxyType(
    {
        Move.CLAIM: Rule(frozenset({Status.READY}), Status.RUNNING),
        Move.SUCCEED: Rule(frozenset({Status.RUNNING}), Status.SUCCESSFUL),
        Move.UNDO: Rule(frozenset({Status.RUNNING}), Status.PENDING),
        Move.FAIL: Rule(frozenset({Status.RUNNING}), Status.FAILED),
        Move.LOSE: Rule(frozenset({Status.RUNNING}), Status.READY),
        Move.ASK_CANCEL: Rule(frozenset({Status.RUNNING}), Status.CANCELING),
        Move.CANCEL: Rule(frozenset({Status.CANCELING}), Status.FAILED),
        Move.CALL_OFF: Rule(frozenset({Status.READY}), Status.FAILED),
        Move.RETRY: Rule(frozenset({Status.FAILED}), Status.READY),
        Move.SKIP: Rule(frozenset({Status.FAILED}), Status.READY),
        Move.ASK_ROLLBACK: Rule(frozenset({Status.FAILED, Status.SUCCESSFUL}), Status.READY),
    }
)
"""The legal moves. Two changes of status are made by opening a step and not by writing each subtask (see
`TaskRecord.derive_subtask`): a subtask that nothing happened to is READY once its step is opened, and one that is
SUCCESSFUL is READY once its step is being undone."""

GOING_ON: Final = frozenset[Status]().union(*(MOVES[move].sources for move in (Move.SUCCEED, Move.FAIL, Move.CANCEL)))
"""The statuses of a subtask that a worker is at, and may write about."""


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

    move: ClassVar = Move.SUCCEED


@dataclass(frozen=True, slots=True)
class Undone(_Ended):
    """Its run undid what earlier runs did; refused for a run that was not there to undo."""

    move: ClassVar = Move.UNDO


@dataclass(frozen=True, slots=True)
class Failed(_Ended):
    """Its run did not do what it was for."""

    move: ClassVar = Move.FAIL


Settled = Succeeded | Undone | Failed
"""How a run can end."""
