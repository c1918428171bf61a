"""The tasks: each module of this package does one kind of thing with them."""

from infra.store.tasks.create import TaskCreator
from infra.store.tasks.hold import HostHolder
from infra.store.tasks.read import TaskReader
from infra.store.tasks.run import TaskRunner
from infra.store.tasks.steer import TaskSteerer


class Tasks(TaskCreator, TaskReader, TaskRunner, TaskSteerer, HostHolder):
    """The tasks: their heads, subtasks and logs, and the hosts that they hold."""
