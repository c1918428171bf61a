"""Finds a task, or a subtask of it, by the ids that a request names."""

from app.context import Context
from core.errors import TaskNotFound, Unavailable
from core.record import TaskRecord
from core.text import say


async def find_subtask(context: Context, task_id: int, subtask_id: int) -> tuple[TaskRecord, int]:
    """Return a task's head and the seriesId of one of its subtasks.

    Raises:
        TaskNotFound: the task does not exist, or has no such subtask.
    """
    task = await find_task(context, task_id)
    series_id = subtask_id - task.first_subtask_id
    if not 0 <= series_id < task.plan.size:
        raise TaskNotFound(
            say(
                "Task {task} has no subtask {subtask}. GET /api/v2/tasks/instances/{task} lists them.",
                task=task_id,
                subtask=subtask_id,
            )
        )
    return task, series_id


def refuse_unknown_task(task_id: int) -> TaskNotFound:
    """Return the error for a task that does not exist."""
    return TaskNotFound(say("There is no task {id}. It was never accepted, was withdrawn, or has expired.", id=task_id))


async def find_task(context: Context, task_id: int) -> TaskRecord:
    """Return a task's head.

    Raises:
        TaskNotFound: the task does not exist.
        Unavailable: a newer version of ocpfleet made it.
    """
    task = await context.store.tasks.head(task_id)
    if task is None:
        raise refuse_unknown_task(task_id)
    return require_known(task)


def require_known(task: TaskRecord) -> TaskRecord:
    """Return a task, if this version of ocpfleet knows its type.

    Raises:
        Unavailable: a newer version made it. Another server may know it.
    """
    if not task.is_known:
        raise Unavailable(say("A newer version of ocpfleet made task {id}. Update the server.", id=task.id))
    return task
