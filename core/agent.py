"""The processes of an OCP agent, and what one look at a host found of them."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.host import AgentStatus, Host

AGENTD: Final = "agentd"
"""The process that looks after the others and starts them anew when they end by accident."""
NAMES: Final = (AGENTD, "mgragent", "monagent")
"""What the agent's processes are called, without the prefix."""
PROCESS_IDS: Final = MappingProxyType({name: number for number, name in enumerate(NAMES, 1)})
"""Their ids for clients, which are those of every host's agent alike."""


@dataclass(frozen=True, slots=True)
class InspectedProcess:
    """One of the agent's processes, running or not."""

    name: str
    """Without the prefix: one of `NAMES`."""
    pid: int = 0
    """0 where it does not run."""
    user: str | None = None
    """Whose it is; None where it does not run or the host did not say."""
    command: str | None = None
    """The words that it was started with, a blank between two; None like `user`."""
    ports: tuple[int, ...] | None = None
    """The TCP ports that it serves, as the agent says; None where it does not run or the agent does not answer."""
    elapsed: int = 0
    """For how many seconds it has been running."""

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.pid > 0


@dataclass(frozen=True, slots=True)
class AgentInspection:
    """What a look found of the agent on a host."""

    installed: bool
    """Whether its control program is there."""
    version: str | None
    """As its control program says; None where that did not answer."""
    processes: tuple[InspectedProcess, ...]
    """One for each of `NAMES`, in that order."""

    @property
    def status(self) -> AgentStatus:
        """Where the agent stands, as far as a look can tell: it counts as running where its agentd does."""
        if self.processes[0].is_running:
            return AgentStatus.AVAILABLE
        return AgentStatus.OFFLINE if self.installed else AgentStatus.DELETED


@dataclass(frozen=True, slots=True)
class InspectedAgent:
    """The agent of a host, as a look has just found it."""

    host: Host
    """The host as the inventory had it when the look began."""
    found: AgentInspection
    at: int
    """When, in milliseconds since the epoch."""

    @property
    def status(self) -> AgentStatus:
        """Where the agent stands: as the task says that holds the host, else as the look says."""
        return self.found.status if self.host.holder is None else self.host.agent_status

    def process(self, name: str) -> InspectedProcess:
        """Return one of its processes."""
        return self.found.processes[NAMES.index(name)]
