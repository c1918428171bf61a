"""Start the agents of many hosts. OCP has no such request; names and class names follow those of its restart."""

from typing import Final

from core.host import AgentStatus, HostStatus
from core.step import Action, Step, TaskType

_PACKAGE = "com.alipay.ocp.service.task.business"

_WAIT: Final = Step("Wait node", f"{_PACKAGE}.WaitNode", 30, Action.WAIT, per_host=False)

TASK_TYPE: Final = TaskType(
    slug="batch_start_agents",
    name="Batch start OCP agent",
    agent_during=AgentStatus.RESTARTING,
    agent_after=AgentStatus.AVAILABLE,
    host_status=HostStatus.ONLINE,
    steps=(
        Step(
            "Prepare start OCP agent",
            f"{_PACKAGE}.obagent.PrepareStartOcpAgentTask",
            60,
            Action.TAKE_HOSTS,
            per_host=True,
        ),
        _WAIT,
        Step(
            "Start all OCP agent processes",
            f"{_PACKAGE}.obagent.StartAllOcpAgentProcessesTask",
            600,
            Action.START_AGENT,
            per_host=True,
        ),
        _WAIT,
        Step(
            "Finish OCP agent operation",
            f"{_PACKAGE}.obagent.FinishOcpAgentOperationTask",
            60,
            Action.GIVE_BACK,
            per_host=True,
        ),
    ),
)
