"""What has happened on a host during one run: what the deciders decide from."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from core.outcome.base import Outcome
from workers.agent.host.agentctl_reply import Reply
from workers.agent.host.agentctl_status import StatusReply
from workers.agent.host.output import Delivery
from workers.agent.host.processes import AgentProcess, Snapshot

SignalName: TypeAlias = Literal["TERM", "KILL"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the agent's control program that has ended. Times are seconds since the run began."""

    reply: Reply
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class SignalRound:
    """Signals that were sent together, `at` seconds after the run began."""

    signal: SignalName
    processes: tuple[AgentProcess, ...]
    delivery: Delivery
    """What became of them."""
    at: float


@dataclass(frozen=True, slots=True)
class StatusCheck:
    """What the agent answered when it was asked for its status, `at` seconds after the run began."""

    reply: StatusReply
    at: float


@dataclass(frozen=True, slots=True)
class History:
    """All that has happened on the host in this run."""

    first_snapshot: Snapshot | None = None
    """What the very first look saw; None before it."""
    calls: tuple[Call, ...] = ()
    """Calls of the agent's own stop, start or version."""
    checks: tuple[StatusCheck, ...] = ()
    """Statuses since the last call."""
    signals: tuple[SignalRound, ...] = ()
    snapshot: Snapshot | None = None
    """What the last look saw; None where something was done or waited for since."""
    status: StatusReply | None = None
    """What the agent answered last for its status; None where something was done or waited for since."""
    known_pids: frozenset[int] = frozenset()
    """Pids of processes that were certainly this agent's, from all looks of this run."""
    prior_stop: Outcome | None = None
    """How the stop ended that had to come before a start; None where there was none."""
    began: float = 0.0
    """When the present attempt began, in seconds since the run began: at once, or after that stop."""

    def forget_observations(self) -> "History":
        """Return the history without its last snapshot and status: the host may have changed since."""
        return replace(self, snapshot=None, status=None)
