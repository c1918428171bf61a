"""Restart the agent of one host, as OCP's agent/restart does."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TaskType
from core.task_types.steps import FINISH, PROXY, START, STOP, prepare

TASK_TYPE: Final = TaskType(
    slug="restart_agent",
    name="Restart OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(prepare("restart"), PROXY, STOP, START, FINISH),
    parallel=False,
)
