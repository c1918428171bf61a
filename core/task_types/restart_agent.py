"""Restart the agent of one host: names, class names and timeouts as in OCP's own reply to agent/restart."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TASKS, Action, Step, TaskType

TASK_TYPE: Final = TaskType(
    slug="restart_agent",
    name="Restart OCP agent",
    during=RESTARTING,
    after=RUNNING,
    steps=(
        Step(
            "Prepare restart OCP agent",
            f"{TASKS}.PrepareRestartOcpAgentTask",
            60,
            Action.TAKE_HOSTS,
            per_host=True,
        ),
        Step("Restart pos proxy", f"{TASKS}.RestartPosProxyTask", 60, Action.RESTART_PROXY, per_host=True),
        Step(
            "Stop all OCP agent processes",
            f"{TASKS}.StopAllOcpAgentProcessesTask",
            600,
            Action.STOP_AGENT,
            per_host=True,
        ),
        Step(
            "Start all OCP agent processes",
            f"{TASKS}.StartAllOcpAgentProcessesTask",
            600,
            Action.START_AGENT,
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
