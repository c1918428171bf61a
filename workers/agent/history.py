"""What has happened on a host during a stop or a start, and what can be done next: the vocabulary of the deciders."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.outcome.base import Outcome
from workers.agent.host.agentctl_reply import Answer
from workers.agent.host.agentctl_status import Said
from workers.agent.host.commands import Delivery
from workers.agent.host.processes import AgentProcess, Sight

SignalName: TypeAlias = Literal["TERM", "KILL"]
Verb: TypeAlias = Literal["stop", "start", "version"]


@dataclass(frozen=True, slots=True)
class Call:
    """One ended call of the agent's own stop or start. Times in seconds since the run began."""

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
class Asked:
    """What the agent said of itself, `at` seconds after the run began."""

    said: Said
    at: float


@dataclass(frozen=True, slots=True)
class Story:
    """All that has happened on the host in this run."""

    before: Sight | None = None
    """What the very first look saw; None before it."""
    calls: tuple[Call, ...] = ()
    asked: tuple[Asked, ...] = ()
    """What the agent said of itself since the last call."""
    sent: tuple[Sent, ...] = ()
    now_seen: Sight | None = None
    """What the last look saw; None where something was done or waited for since."""
    now_said: Said | None = None
    """What the agent said of itself last; None where something was done or waited for since."""
    met: frozenset[int] = frozenset()
    """Pids that were certainly this agent's, from all looks of this run."""
    mended: Outcome | None = None
    """How the stop ended that had to come before a start; None where there was none."""
    since: float = 0.0
    """When the present attempt began: with the run, or after that stop."""


@dataclass(frozen=True, slots=True)
class Look:
    """List the agent's live processes."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Look, call the agent's own stop, and look again, all in one command on the host."""


@dataclass(frozen=True, slots=True)
class CallControl:
    """Call the agent's own stop or start."""

    verb: Verb


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the agent for its status."""


@dataclass(frozen=True, slots=True)
class StopFirst:
    """Stop what there is of the agent, the way a stop does, and begin anew."""

    why: str


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


Deed: TypeAlias = Look | Ask | CallControl | Signal | Stop | StopFirst | Wait
"""What a run can do on a host."""
Step: TypeAlias = Deed | Conclude
