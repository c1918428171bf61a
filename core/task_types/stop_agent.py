"""Stop the agent of one host: names, class names and timeouts as in OCP's own reply to agent/stop."""

from typing import Final

from core.host import STOPPED, STOPPING
from core.step import TASKS, Action, Step, TaskType

TASK_TYPE: Final = TaskType(
    slug="stop_agent",
    name="Stop OCP agent",
    during=STOPPING,
    after=STOPPED,
    steps=(
        Step("Prepare stop OCP agent", f"{TASKS}.PrepareStopOcpAgentTask", 60, Action.TAKE_HOSTS, per_host=True),
        Step(
            "Stop all OCP agent processes",
            f"{TASKS}.StopAllOcpAgentProcessesTask",
            600,
            Action.STOP_AGENT,
            per_host=True,
        ),
        Step(
            "Finish OCP agent operation",
            f"{TASKS}.FinishOcpAgentOperationTask",
            60,
            Action.GIVE_BACK,
            per_host=True,
        ),
    ),
    parallel=False,
)
