"""Restart the agents of many hosts: names, class names and timeouts as in OCP's own reply to batchRestartAgents."""

from typing import Final

from core.host import RESTARTING, RUNNING
from core.step import TASKS, WAIT_NODE, Action, Step, TaskType

TASK_TYPE: Final = TaskType(
    slug="batch_restart_agents",
    name="Batch restart OCP agent",
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
        WAIT_NODE,
        Step("Restart pos proxy", f"{TASKS}.RestartPosProxyTask", 60, Action.RESTART_PROXY, per_host=True),
        WAIT_NODE,
        Step(
            "Stop all OCP agent processes",
            f"{TASKS}.StopAllOcpAgentProcessesTask",
            600,
            Action.STOP_AGENT,
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
