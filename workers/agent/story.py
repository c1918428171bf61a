"""What has happened on a host during a stop, and what can be done next: the vocabulary of `workers.agent.decide`."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.outcome import Outcome
from workers.agent.answer import Answer
from workers.agent.processes import AgentProcess, Sight
from workers.agent.remote import Delivery

SignalName: TypeAlias = Literal["TERM", "KILL"]


@dataclass(frozen=True, slots=True)
class Call:
    """One ended call of the agent's own stop. Times in seconds since the run began."""

    answer: Answer
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Sent:
    """One round of signals, `at` seconds after the run began."""

    signal: SignalName
    processes: tuple[AgentProcess, ...]
    delivery: Delivery
    """What became of them."""
    at: float


@dataclass(frozen=True, slots=True)
class Story:
    """All that has happened on the host in this run."""

    before: Sight | None = None
    """What the look before the first stop saw; None before it."""
    calls: tuple[Call, ...] = ()
    sent: tuple[Sent, ...] = ()
    now_seen: Sight | None = None
    """What the last look saw; None where something was done or waited for since."""
    met: frozenset[int] = frozenset()
    """Pids that were certainly this agent's, from all looks of this run."""


@dataclass(frozen=True, slots=True)
class Look:
    """List the agent's live processes."""


@dataclass(frozen=True, slots=True)
class CallStop:
    """Call the agent's own stop."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Signal these processes."""

    signal: SignalName
    processes: tuple[AgentProcess, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for some seconds."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """The run is over."""

    outcome: Outcome


Step: TypeAlias = Look | CallStop | Signal | Wait | Conclude
