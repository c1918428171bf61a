"""The named pieces that a task type is made of, before they are unrolled over hosts."""

from dataclasses import dataclass
from enum import StrEnum

from core.host import HostState


class Action(StrEnum):
    """What the workers do in a step. The value is the Celery task's name without its prefix."""

    TAKE_HOSTS = "prepare"
    """Take all hosts of the task or none, with the statuses that the task type says. Store only."""
    WAIT = "wait"
    """Nothing: the step is a barrier between two parallel ones. Store only."""
    STOP_AGENT = "stop"
    """Stop the agent on each host, over the network."""
    START_AGENT = "start"
    """Start the agent on each host and see that it is ready, over the network."""
    RESTART_PROXY = "proxy"
    """See that no pos proxy, which agents before 3.2 had, needs a restart on each host, over the network."""
    FIND_AGENT = "find"
    """Find the agent on each host, its version and whether it runs, over the network; nothing is changed there."""
    GIVE_BACK = "finish"
    """Set what is true after the work and give the hosts back. Store only."""

    @property
    def is_remote(self) -> bool:
        """Whether the action works on hosts over the network and therefore fans out in lanes."""
        return self not in {Action.TAKE_HOSTS, Action.WAIT, Action.GIVE_BACK}


@dataclass(frozen=True, slots=True)
class Step:
    """One named piece of a plan."""

    name: str
    """What OCP calls it, such as "Prepare stop OCP agent"."""
    class_name: str
    """OCP's className; an opaque string to clients."""
    timeout: int
    """Seconds that one run of one subtask may take."""
    action: Action
    """What is done."""
    per_host: bool
    """One subtask for each host, or one in all."""


@dataclass(frozen=True, slots=True)
class TaskType:
    """A kind of request: its name and its steps, in the order in which they run."""

    slug: str
    """Its name in records; never changes."""
    name: str
    """What OCP calls it, such as "Batch stop OCP agent"."""
    during: HostState
    """Where the hosts and their agents stand while the task holds them."""
    after: HostState | None
    """Where they stand once the task is done with them; None where that is what the last look at each host found."""
    steps: tuple[Step, ...]
    """From the first to the last."""
    parallel: bool = True
    """Whether it is for many hosts at a time. A task for one host has no wait nodes, shows -1 as the parallelIdx of
    each of its subtasks, and names its host in `hostId`; which step is whose is the same."""

    prohibits_rollback: bool = False
    """Whether a task of it may not be rolled back."""

    @property
    def is_single_host(self) -> bool:
        """Whether it is a request about one host by name, by which lists can be filtered; in OCP a batch is not."""
        return not self.parallel
