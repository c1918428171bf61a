"""The agent's processes on a host, as one look saw them, and where its programs are."""

from dataclasses import dataclass

from typing_extensions import override

from core.agent import NAMES
from core.host import Target

PROXY = "pos_proxy"
"""The name of the process that agents before 3.2 had beside the others."""

MAX_NAME_LENGTH = 15
"""Characters of a process's name that the kernel keeps."""


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """One live process with an agent's name. Only pid and start time together identify it: pids are used again."""

    pid: int
    name: str
    state: str
    """The kernel's letter: R running, S sleeping, D waiting for a disk, T stopped."""
    start_ticks: int
    """When it began, in clock ticks since the host's boot."""
    exe: str | None
    """Its executable; None where the user may not see it, so nothing proves that it is this agent's."""

    @property
    def is_agentd(self) -> bool:
        """Whether it is the process that starts the others again when they end."""
        return self.name.endswith("_agentd")

    @override
    def __str__(self) -> str:
        doubt = "" if self.exe else ", executable not readable"
        return f"{self.name} {self.pid} ({self.state}{doubt})"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look saw."""

    processes: tuple[AgentProcess, ...]
    """Live processes with an agent's name whose executable is this agent's or could not be read."""
    restricted: bool = False
    """Whether the host hides other users' processes, so that seeing none proves little."""

    @property
    def proved(self) -> tuple[AgentProcess, ...]:
        """The processes that are certainly this agent's."""
        return tuple(process for process in self.processes if process.exe is not None)

    @property
    def proved_pids(self) -> frozenset[int]:
        """The pids of those."""
        return frozenset(process.pid for process in self.proved)

    @property
    def has_agentd(self) -> bool:
        """Whether an agentd is among the processes, be it proved or not."""
        return any(process.is_agentd for process in self.processes)

    @property
    def pids(self) -> tuple[int, ...]:
        """The pids of all processes, in order."""
        return tuple(sorted(process.pid for process in self.processes))

    @override
    def __str__(self) -> str:
        hidden = "; the host hides other users' processes" * self.restricted
        return (", ".join(map(str, self.processes)) or "no live process of the agent") + hidden


def get_bin_directory(target: Target) -> str:
    """Return where the agent's programs are on the host."""
    return f"{target.agent_home.rstrip('/')}/bin"


def get_control_program(target: Target) -> str:
    """Return the absolute path of the agent's control program, which finds its home by the path it is called by."""
    return f"{get_bin_directory(target)}/{target.agent_prefix}_agentctl"


def get_process_names(target: Target) -> tuple[str, ...]:
    """Return the agent's process names as the kernel shows them, agentd first."""
    return tuple(f"{target.agent_prefix}_{name}"[:MAX_NAME_LENGTH] for name in NAMES)
