"""The named pieces that a task type is made of, before they are unrolled over hosts."""

from dataclasses import dataclass
from enum import StrEnum

from core.host import AgentStatus


class Action(StrEnum):
    """What the workers do in a step. The value is the Celery task's name without its prefix."""

    TAKE_HOSTS = "prepare"
    """Take all hosts of the task or none: agent to STOPPING, host to OFFLINE. Store only."""
    WAIT = "wait"
    """Nothing: the step is a barrier between two parallel ones. Store only."""
    STOP_AGENT = "stop"
    """Stop the agent on each host, over the network."""
    GIVE_BACK = "finish"
    """Set what is true after the work and give the hosts back. Store only."""

    @property
    def on_hosts(self) -> bool:
        """Whether the action works on hosts over the network and therefore fans out in lanes."""
        return self is Action.STOP_AGENT


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
    agent_during: AgentStatus
    """The agents' status while the task holds their hosts."""
    agent_after: AgentStatus
    """The agents' status once the task is done with their hosts."""
    steps: tuple[Step, ...]
    """From the first to the last."""
    single_host: bool = False
    """Whether it is a request about one host by name, which lists can then be filtered by; in OCP a batch is not."""
