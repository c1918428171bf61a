"""The processes of an OCP agent, as one look at a host found them."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.host import AgentStatus, Host

AGENTD: Final = "agentd"
"""The process that supervises the others and restarts them when they crash."""
NAMES: Final = (AGENTD, "mgragent", "monagent")
"""The names of the agent's processes, without the prefix."""
PROCESS_IDS: Final = MappingProxyType({name: number for number, name in enumerate(NAMES, 1)})
"""Their ids for clients: the same on every host."""


@dataclass(frozen=True, slots=True)
class InspectedProcess:
    """One of the agent's processes, running or not."""

    name: str
    """Without the prefix: one of `NAMES`."""
    pid: int = 0
    """0 where it does not run."""
    user: str | None = None
    """The user it runs as; None where it does not run, or the host did not say."""
    command: str | None = None
    """Its command line, words separated by blanks; None as for `user`."""
    ports: tuple[int, ...] | None = None
    """The TCP ports it listens on, according to the agent; None where it does not run, or the agent does not answer."""
    elapsed: int = 0
    """Seconds since it started."""

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.pid > 0


@dataclass(frozen=True, slots=True)
class AgentInspection:
    """What a look at a host found out about its agent."""

    installed: bool
    """Whether its control program is on the host."""
    version: str | None
    """According to its control program; None where that did not answer."""
    processes: tuple[InspectedProcess, ...]
    """One for each of `NAMES`, in the same order."""

    @property
    def status(self) -> AgentStatus:
        """The agent's status, as far as a look can tell. The agent counts as running where its agentd does."""
        if self.processes[0].is_running:
            return AgentStatus.AVAILABLE
        return AgentStatus.OFFLINE if self.installed else AgentStatus.DELETED


@dataclass(frozen=True, slots=True)
class InspectedAgent:
    """A host, and the agent that a look has just found there."""

    host: Host
    """The host as it was in the inventory when the look began."""
    found: AgentInspection
    at: int
    """When, in milliseconds since the epoch."""

    @property
    def status(self) -> AgentStatus:
        """The agent's status: the task's where a task holds the host, else what the look found."""
        return self.found.status if self.host.holder is None else self.host.agent_status

    def process(self, name: str) -> InspectedProcess:
        """Return one of its processes."""
        return self.found.processes[NAMES.index(name)]
