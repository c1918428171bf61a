"""The steps that several task types share: names, class names and timeouts as in OCP's own replies.

It defines no `TASK_TYPE`, so it is not a task type itself.
"""

from typing import Final

from core.step import Action, Step

_AGENT_TASKS: Final = "com.alipay.ocp.service.task.business.obagent"
"""The package of OCP's classes for steps about the agent."""


def prepare(verb: str) -> Step:
    """Return the step that takes the hosts. `verb` is what the task does with their agents, such as `stop`."""
    class_name = f"{_AGENT_TASKS}.Prepare{verb.capitalize()}OcpAgentTask"
    return Step(f"Prepare {verb} OCP agent", class_name, 60, Action.TAKE_HOSTS, per_host=True)


WAIT: Final = Step("Wait node", "com.alipay.ocp.service.task.business.WaitNode", 30, Action.WAIT, per_host=False)
"""The barrier between two steps that both work on many hosts."""
PROXY: Final = Step("Restart pos proxy", f"{_AGENT_TASKS}.RestartPosProxyTask", 60, Action.RESTART_PROXY, per_host=True)
"""See that no pos proxy needs a restart."""
STOP: Final = Step(
    "Stop all OCP agent processes",
    f"{_AGENT_TASKS}.StopAllOcpAgentProcessesTask",
    600,
    Action.STOP_AGENT,
    per_host=True,
)
"""Stop the agent."""
START: Final = Step(
    "Start all OCP agent processes",
    f"{_AGENT_TASKS}.StartAllOcpAgentProcessesTask",
    600,
    Action.START_AGENT,
    per_host=True,
)
"""Start the agent."""
FINISH: Final = Step(
    "Finish OCP agent operation",
    f"{_AGENT_TASKS}.FinishOcpAgentOperationTask",
    60,
    Action.GIVE_BACK,
    per_host=True,
)
"""Record what is true after the work, and give the hosts back."""
