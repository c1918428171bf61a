"""Prepare a host that was just added: the task that OCP's batchCreate makes of each host.

OCP uninstalls what it finds and installs its agent; ocpfleet installs nothing, so between OCP's first and last step
there is one of its own. Names and timeouts of those two are OCP's; it prints no class names here.
"""

from typing import Final

from core.host import WITHOUT_AGENT
from core.step import HOST_TASKS, Action, Step, TaskType

TASK_TYPE: Final = TaskType(
    slug="prepare_host",
    name="Prepare host",
    during=WITHOUT_AGENT,
    after=None,
    steps=(
        Step("Pre check for create host", f"{HOST_TASKS}.PreCheckTask", 1800, Action.TAKE_HOSTS, per_host=True),
        Step("Find OCP agent", f"{HOST_TASKS}.FindOcpAgentTask", 600, Action.FIND_AGENT, per_host=True),
        Step("Update host status", f"{HOST_TASKS}.UpdateHostStatusTask", 1800, Action.GIVE_BACK, per_host=True),
    ),
    parallel=False,
)
