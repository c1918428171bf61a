"""How a run that starts an agent, or looks for a pos proxy, can end."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome, Success, format_pids


@dataclass(frozen=True, slots=True)
class Started(Success):
    """The agent was started. Two looks found it ready, with the same agentd and its three processes alive."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return f"Started: {format_pids(self.pids)} run; two looks found the agent ready, with the same agentd."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class AlreadyRunning(Success):
    """The agent ran before the start. Two looks found it ready, with the same agentd as before."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return (
            f"Was already running: {format_pids(self.pids)} run; two looks found the agent ready, with the same agentd."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class NotReady(Outcome):
    """The agent was started, or was found at its stop, and did not become ready in time."""

    detail: str
    pids: tuple[int, ...]
    waited_seconds: float

    @override
    def sentence(self) -> str:
        return (
            f"Not ready: {self.detail} after {self.waited_seconds:.0f} s ({format_pids(self.pids)} alive). Read the "
            "logs in the agent's log directory on the host (a usual cause is a port that another program uses), then "
            "retry."
        )


@dataclass(frozen=True, slots=True)
class EndedAtOnce(Outcome):
    """The start brought up agentd, and agentd ended within its first second."""

    agent_home: str
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Ended at once: agentd did not stay up ({self.detail}). Read {self.agent_home}/log/agentd.err.log. If an "
            f"agentd.pid file in {self.agent_home}/run names a process that is not agentd, remove the file. Then retry."
        )


@dataclass(frozen=True, slots=True)
class ProxyRuns(Outcome):
    """The host runs a pos proxy, which only agents before 3.2 have. ocpfleet does not restart one."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return (
            f"Pos proxy runs: {format_pids(self.pids)}. Only agents before 3.2 have a pos proxy, and ocpfleet does not "
            "restart it. Restart it on the host by hand and skip this subtask, or update the agent and retry."
        )
