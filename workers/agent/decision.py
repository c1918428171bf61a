"""What can be done next on a host: the answers of the deciders."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.outcome.base import Outcome
from workers.agent.history import SignalName
from workers.agent.host.processes import AgentProcess

CallVerb: TypeAlias = Literal["stop", "start", "version"]


@dataclass(frozen=True, slots=True)
class Look:
    """List the agent's live processes."""


@dataclass(frozen=True, slots=True)
class LookForProxy:
    """List the host's live pos proxies, whichever agent they belong to."""


@dataclass(frozen=True, slots=True)
class StopAgent:
    """Look, call the agent's own stop, and look again, all in one command on the host."""


@dataclass(frozen=True, slots=True)
class CallControl:
    """Call the agent's control program."""

    verb: CallVerb
    service: str | None = None
    """The service to stop or start, named as on the host; None for the whole agent."""


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Ask the agent for its status."""


@dataclass(frozen=True, slots=True)
class StopFirst:
    """Stop what there is of the agent, then begin anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Signal these processes."""

    signal: SignalName
    processes: tuple[AgentProcess, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for some seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """End the run with this outcome."""

    outcome: Outcome


Instruction: TypeAlias = Look | LookForProxy | StopAgent | CallControl | AskStatus | StopFirst | Signal | Wait
"""What a run can do on a host."""
Decision: TypeAlias = Instruction | Conclude
"""What a decider answers."""
