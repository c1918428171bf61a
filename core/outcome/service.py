"""How it can end when a host is looked at, or when one process of its agent is worked on: the other outcomes."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome, Success


@dataclass(frozen=True, slots=True)
class AgentPresent(Success):
    """There is an agent on the host; it is ready, or no process of it is alive."""

    version: str
    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        state = f"it is ready ({_pids(self.pids)})" if self.pids else "it is stopped"
        return f"Found: an OCP agent of version {self.version}; {state}."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return bool(self.pids)


@dataclass(frozen=True, slots=True)
class AgentAbsent(Success):
    """There is no agent on the host."""

    path: str

    @override
    def sentence(self) -> str:
        return (
            f"Not installed: {self.path} is missing or not executable, and no process of an agent is alive. The host "
            "stays NEW. Once an agent is there, import the host again, or delete and add it."
        )


@dataclass(frozen=True, slots=True)
class ServiceStopped(Success):
    """One of agentd's services is gone, and agentd does not start it again."""

    name: str
    pids: tuple[int, ...]
    """What ran before; none where it was stopped already."""

    @override
    def sentence(self) -> str:
        return f"Stopped: {self.name} ({_pids(self.pids)} before) is gone." if self.pids else f"Stopped: {self.name}."


@dataclass(frozen=True, slots=True)
class ServiceRuns(Success):
    """One of agentd's services runs and answers."""

    name: str
    pid: int

    @override
    def sentence(self) -> str:
        return f"Running: {self.name} is process {self.pid}, and agentd says so too."


@dataclass(frozen=True, slots=True)
class NoAgentd(Outcome):
    """A service cannot be stopped or started alone, since there is no agentd to do it. Nothing was done."""

    name: str
    pids: tuple[int, ...]
    """Of the service."""

    @override
    def sentence(self) -> str:
        alive = f" (while {_pids(self.pids)} of it alive)" * bool(self.pids)
        return (
            f"No agentd: the host's agent does not run, so {self.name} can neither be stopped nor started by "
            f"itself{alive}. Stop, start or restart the whole agent."
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
            f"Not stopped: {self.name} ({_pids(self.pids)} alive) {self.waited_seconds:.0f} s after it was told to "
            f"end; {self.detail}. Look at the host, then ask again."
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
            f"Not running: {self.name} after {self.waited_seconds:.0f} s; {self.detail}. Look into the agent's log "
            "directory on the host, then ask again, or restart the whole agent."
        )


def _pids(pids: tuple[int, ...]) -> str:
    return f"process{'es' * (len(pids) != 1)} {', '.join(map(str, pids))}"
