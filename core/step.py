"""Task types, and the steps that they consist of before they are unrolled over hosts."""

from dataclasses import dataclass
from enum import StrEnum

from core.host import HostState


class Action(StrEnum):
    """What the workers do in a step. The value is the Celery task's name without its prefix."""

    TAKE_HOSTS = "prepare"
    """Take all hosts of the task or none, and set the state that the task type says. Store only."""
    WAIT = "wait"
    """Do nothing: the step is a barrier between two parallel steps. Store only."""
    STOP_AGENT = "stop"
    """Stop the agent on each host, over the network."""
    START_AGENT = "start"
    """Start the agent on each host and check that it is ready, over the network."""
    RESTART_PROXY = "proxy"
    """Check on each host that no pos proxy (agents before 3.2 have one) needs a restart, over the network."""
    FIND_AGENT = "find"
    """Find the agent on each host, its version and whether it runs, over the network. This changes nothing."""
    GIVE_BACK = "finish"
    """Set the state after the work, and give the hosts back. Store only."""

    @property
    def is_remote(self) -> bool:
        """Whether the action works on hosts over the network, so that its step fans out into lanes."""
        return self not in {Action.TAKE_HOSTS, Action.WAIT, Action.GIVE_BACK}


@dataclass(frozen=True, slots=True)
class Step:
    """A named piece of a plan."""

    name: str
    """What OCP calls it, such as "Prepare stop OCP agent"."""
    class_name: str
    """OCP's className; opaque to clients."""
    timeout: int
    """Seconds that one run of one subtask may take."""
    action: Action
    """What the workers do."""
    per_host: bool
    """Whether it has a subtask for each host, or one in all."""


@dataclass(frozen=True, slots=True)
class TaskType:
    """A kind of task: its name, and its steps in the order in which they run."""

    slug: str
    """Its name in records; never changes."""
    name: str
    """What OCP calls it, such as "Batch stop OCP agent"."""
    during: HostState
    """The state of the hosts while the task holds them."""
    after: HostState | None
    """Their state after the work; None if the last look at each host decides it."""
    steps: tuple[Step, ...]
    """From the first to the last."""
    parallel: bool = True
    """Whether it is for many hosts. A task for one host has no wait nodes, shows -1 as the parallelIdx of each subtask,
    and names its host in `hostId`."""
    prohibits_rollback: bool = False
    """Whether its tasks may not be rolled back."""

    @property
    def is_single_host(self) -> bool:
        """Whether its tasks are for one host; clients can filter by it. In OCP a batch of one host does not count."""
        return not self.parallel
