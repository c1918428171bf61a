"""Stop the agents of many hosts, as OCP's batchStopAgents does."""

from typing import Final

from core.host import STOPPED, STOPPING
from core.step import TaskType
from core.task_types.steps import FINISH, STOP, WAIT, prepare

TASK_TYPE: Final = TaskType(
    slug="batch_stop_agents",
    name="Batch stop OCP agent",
    during=STOPPING,
    after=STOPPED,
    steps=(prepare("stop"), WAIT, STOP, WAIT, FINISH),
)
