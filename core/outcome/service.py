"""How a request that works on one of an agent's services can end."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome, Success, format_pids


@dataclass(frozen=True, slots=True)
class ServiceStopped(Success):
    """One of agentd's services does not run, and agentd does not start it again."""

    name: str
    pids: tuple[int, ...]
    """The processes that ran before; empty where it was stopped already."""

    @override
    def sentence(self) -> str:
        if not self.pids:
            return f"Was already stopped: {self.name}."
        return f"Stopped: {self.name} ended ({format_pids(self.pids)})."


@dataclass(frozen=True, slots=True)
class ServiceRuns(Success):
    """One of agentd's services runs and answers."""

    name: str
    pid: int

    @override
    def sentence(self) -> str:
        return f"Running: {self.name} is process {self.pid}, and agentd confirms it."


@dataclass(frozen=True, slots=True)
class NoAgentd(Outcome):
    """A service cannot be stopped or started alone, because no agentd runs that could do it. Nothing was done."""

    name: str
    pids: tuple[int, ...]
    """Of the service."""

    @override
    def sentence(self) -> str:
        alive = f", although the host runs {format_pids(self.pids)} of it" if self.pids else ""
        return (
            f"No agentd: the host's agent does not run, so {self.name} cannot be stopped or started alone{alive}. "
            "Stop, start or restart the whole agent."
        )


@dataclass(frozen=True, slots=True)
class ServiceAlive(Outcome):
    """A service did not end, or came back."""

    name: str
    pids: tuple[int, ...]
    waited_seconds: float
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Not stopped: {self.name}, {self.waited_seconds:.0f} s after the stop ({format_pids(self.pids)} alive); "
            f"{self.detail}. Look at the host, then ask again."
        )


@dataclass(frozen=True, slots=True)
class ServiceNotRunning(Outcome):
    """A service did not come up, or does not answer."""

    name: str
    waited_seconds: float
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Not running: {self.name} is not up after {self.waited_seconds:.0f} s; {self.detail}. Read the logs in "
            "the agent's log directory on the host, then ask again, or restart the whole agent."
        )
