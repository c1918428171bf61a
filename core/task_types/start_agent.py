"""Start the agent of one host. OCP has no such request; names and class names follow those of its restart."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TaskType
from core.task_types.steps import FINISH, START, prepare

TASK_TYPE: Final = TaskType(
    slug="start_agent",
    name="Start OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(prepare("start"), START, FINISH),
    parallel=False,
)
