"""Stop the agents of many hosts: names, class names and timeouts as in OCP's own reply to batchStopAgents."""

from typing import Final

from core.host import AgentStatus, HostStatus
from core.step import Action, Step, TaskType

_PACKAGE = "com.alipay.ocp.service.task.business"

_WAIT: Final = Step("Wait node", f"{_PACKAGE}.WaitNode", 30, Action.WAIT, per_host=False)

TASK_TYPE: Final = TaskType(
    slug="batch_stop_agents",
    name="Batch stop OCP agent",
    agent_during=AgentStatus.STOPPING,
    agent_after=AgentStatus.OFFLINE,
    host_status=HostStatus.OFFLINE,
    steps=(
        Step(
            "Prepare stop OCP agent",
            f"{_PACKAGE}.obagent.PrepareStopOcpAgentTask",
            60,
            Action.TAKE_HOSTS,
            per_host=True,
        ),
        _WAIT,
        Step(
            "Stop all OCP agent processes",
            f"{_PACKAGE}.obagent.StopAllOcpAgentProcessesTask",
            600,
            Action.STOP_AGENT,
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
