"""Restart the agents of many hosts, as OCP's batchRestartAgents does."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TaskType
from core.task_types.steps import FINISH, PROXY, START, STOP, WAIT, prepare

TASK_TYPE: Final = TaskType(
    slug="batch_restart_agents",
    name="Batch restart OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(prepare("restart"), WAIT, PROXY, WAIT, STOP, WAIT, START, WAIT, FINISH),
)
