"""Prepare a host that was just added: the task that OCP's batchCreate makes for each host.

OCP uninstalls what it finds and installs its agent. ocpfleet installs nothing, so it has a step of its own between
OCP's first and last step. The names and timeouts of those two are OCP's. OCP shows no class names, so those are ours.
"""

from typing import Final

from core.host import WITHOUT_AGENT
from core.step import Action, Step, TaskType

_HOST_TASKS: Final = "com.alipay.ocp.service.task.business.host"
"""The package of OCP's classes for steps about the host itself."""

TASK_TYPE: Final = TaskType(
    slug="prepare_host",
    name="Prepare host",
    during=WITHOUT_AGENT,
    after=None,
    steps=(
        Step("Pre check for create host", f"{_HOST_TASKS}.PreCheckTask", 1800, Action.TAKE_HOSTS, per_host=True),
        Step("Find OCP agent", f"{_HOST_TASKS}.FindOcpAgentTask", 600, Action.FIND_AGENT, per_host=True),
        Step("Update host status", f"{_HOST_TASKS}.UpdateHostStatusTask", 1800, Action.GIVE_BACK, per_host=True),
    ),
    parallel=False,
)
