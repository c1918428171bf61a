"""A task, and a subtask of it, by the ids that a request names."""

from app.context import Fleet
from core.errors import TaskNotFound, Unavailable
from core.record import TaskRecord
from core.text import say


async def find_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> tuple[TaskRecord, int]:
    """Return a task's head and the seriesId of one of its subtasks.

    Raises:
        TaskNotFound: there is no such task, or the subtask is not one of its own.
    """
    task = await find_task(fleet, task_id)
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


def no_task(task_id: int) -> TaskNotFound:
    """Return the error of a task that is not there."""
    return TaskNotFound(say("There is no task {id}. It was never accepted, was withdrawn, or has expired.", id=task_id))


async def find_task(fleet: Fleet, task_id: int) -> TaskRecord:
    """Return a task's head.

    Raises:
        TaskNotFound: there is no such task.
        Unavailable: a newer code made it.
    """
    task = await fleet.store.tasks.head(task_id)
    if task is None:
        raise no_task(task_id)
    return see_that_known(task)


def see_that_known(task: TaskRecord) -> TaskRecord:
    """Return a task that this code knows.

    Raises:
        Unavailable: a newer code made it. Another server may know it.
    """
    if not task.is_known:
        raise Unavailable(
            say("Task {id} was made by a newer ocpfleet than this server. Update the server.", id=task.id)
        )
    return task
