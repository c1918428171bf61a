"""Start the agents of many hosts. OCP has no such request; names and class names follow those of its restart."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TASKS, WAIT_NODE, Action, Step, TaskType

TASK_TYPE: Final = TaskType(
    slug="batch_start_agents",
    name="Batch start OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(
        Step(
            "Prepare start OCP agent",
            f"{TASKS}.PrepareStartOcpAgentTask",
            60,
            Action.TAKE_HOSTS,
            per_host=True,
        ),
        WAIT_NODE,
        Step(
            "Start all OCP agent processes",
            f"{TASKS}.StartAllOcpAgentProcessesTask",
            600,
            Action.START_AGENT,
            per_host=True,
        ),
        WAIT_NODE,
        Step(
            "Finish OCP agent operation",
            f"{TASKS}.FinishOcpAgentOperationTask",
            60,
            Action.GIVE_BACK,
            per_host=True,
        ),
    ),
)
