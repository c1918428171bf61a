"""The processes of an OCP agent, and what one look at a host found of them."""

from dataclasses import dataclass
from typing import Final

from core.host import AgentStatus

AGENTD: Final = "agentd"
"""The process that looks after the others and starts them anew when they end by accident."""
NAMES: Final = (AGENTD, "mgragent", "monagent")
"""What the agent's processes are called, without the prefix. Their place here, from 1, is their id for clients."""


@dataclass(frozen=True, slots=True)
class ProcessFound:
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
    def runs(self) -> bool:
        """Whether it runs."""
        return self.pid > 0


@dataclass(frozen=True, slots=True)
class AgentFound:
    """What a look found of the agent on a host."""

    installed: bool
    """Whether its control program is there."""
    version: str | None
    """As its control program says; None where that did not answer."""
    processes: tuple[ProcessFound, ...]
    """One for each of `NAMES`, in that order."""

    @property
    def status(self) -> AgentStatus:
        """Where the agent stands, as far as a look can tell: it counts as running where its agentd does."""
        if self.processes[0].runs:
            return AgentStatus.AVAILABLE
        return AgentStatus.OFFLINE if self.installed else AgentStatus.DELETED
