"""How a run that finds the agent on a host can end."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Success, format_pids


@dataclass(frozen=True, slots=True)
class AgentPresent(Success):
    """The host has an agent. Either it is ready, or no process of it is alive."""

    version: str
    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        state = f"it is ready ({format_pids(self.pids)})" if self.pids else "it is stopped"
        return f"Found: an OCP agent of version {self.version}; {state}."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return bool(self.pids)


@dataclass(frozen=True, slots=True)
class AgentAbsent(Success):
    """The host has no agent."""

    path: str
    """Where the agent's control program should be."""

    @override
    def sentence(self) -> str:
        return (
            f"Not installed: {self.path} is missing or not executable, and no process of an agent is alive. The host "
            "stays NEW. Once an agent is installed, import the host again, or delete it and add it again."
        )
