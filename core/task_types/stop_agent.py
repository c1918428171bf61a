"""Stop the agent of one host, as OCP's agent/stop does."""

from typing import Final

from core.host import STOPPED, STOPPING
from core.step import TaskType
from core.task_types.steps import FINISH, STOP, prepare

TASK_TYPE: Final = TaskType(
    slug="stop_agent",
    name="Stop OCP agent",
    during=STOPPING,
    after=STOPPED,
    steps=(prepare("stop"), STOP, FINISH),
    parallel=False,
)
