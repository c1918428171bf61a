"""Start the agents of many hosts. OCP has no such request; names and class names follow those of its restart."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TaskType
from core.task_types.steps import FINISH, START, WAIT, prepare

TASK_TYPE: Final = TaskType(
    slug="batch_start_agents",
    name="Batch start OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(prepare("start"), WAIT, START, WAIT, FINISH),
)
