"""Changes the course of a task: retries it, skips what failed, rolls it back, cancels it."""

from collections.abc import Mapping
from typing import Final

from app.context import Context
from app.tasks.find import find_subtask, find_task, refuse_unknown_task
from app.tasks.outbox import Outbox
from core.errors import RollbackProhibited, StateInvalid
from core.record import SubtaskRecord, TaskRecord
from core.text import Text, say
from infra.store.task_values import Course, CourseChanged, CourseRefused

_ONLY_FAILED: Final = {
    Course.RETRY: say("only a FAILED one can be retried"),
    Course.SKIP: say("only a FAILED one can be skipped"),
    Course.ROLLBACK: say("only a FAILED one can be rolled back"),
}


async def retry_task(context: Context, outbox: Outbox, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Run the failed subtasks of a task again. Return the task as it is then.

    Raises:
        TaskNotFound: the task does not exist.
        StateInvalid: it is not FAILED.
    """
    await _change_course(context, outbox, await find_task(context, task_id), Course.RETRY)
    return await _read_again(context, task_id)


async def retry_subtask(
    context: Context, outbox: Outbox, task_id: int, subtask_id: int
) -> tuple[TaskRecord, int, SubtaskRecord]:
    """Run one failed subtask again. Return its task, its seriesId and its record then. Raises as `retry_task`."""
    task, series_id = await find_subtask(context, task_id, subtask_id)
    await _change_course(context, outbox, task, Course.RETRY, series_id)
    stored = await context.store.tasks.subtask(task, series_id)
    return task, series_id, task.derive_subtask(task.plan.find_step(series_id).index, stored)


async def skip_subtask(context: Context, outbox: Outbox, task_id: int, subtask_id: int) -> None:
    """Count a failed subtask as successful. Raises as `retry_task`."""
    task, series_id = await find_subtask(context, task_id, subtask_id)
    await _change_course(context, outbox, task, Course.SKIP, series_id)


async def roll_back_task(
    context: Context, outbox: Outbox, task_id: int
) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Undo what a failed task did, from the step where it failed back to the first. Return the task as it is then.

    Raises:
        TaskNotFound: the task does not exist.
        RollbackProhibited: tasks of its type cannot be undone.
        StateInvalid: it is not FAILED.
    """
    task = await find_task(context, task_id)
    if task.task_type.prohibits_rollback:
        raise RollbackProhibited(
            say(
                "Task {id} cannot be rolled back: “{name}” cannot be undone. Retry the task, or skip what failed.",
                id=task_id,
                name=task.task_type.name,
            )
        )
    await _change_course(context, outbox, task, Course.ROLLBACK)
    return await _read_again(context, task_id)


async def _read_again(context: Context, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    task = await find_task(context, task_id)
    return task, await context.store.tasks.subtasks(task)


async def _change_course(
    context: Context, outbox: Outbox, task: TaskRecord, course: Course, series_id: int | None = None
) -> None:
    answer = await context.store.tasks.change_course(task, course, context.clock(), series_id)
    match answer:
        case CourseChanged(step, backwards):
            outbox.post(task, step, backwards=backwards)
        case CourseRefused(status):
            raise _refuse(task, series_id, status, _ONLY_FAILED[course])
        case None:
            raise refuse_unknown_task(task.id)


async def cancel_task(context: Context, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Stop a whole task. Return it as it is then. Raises TaskNotFound and StateInvalid."""
    await _cancel(context, await find_task(context, task_id))
    return await _read_again(context, task_id)


async def cancel_subtask(context: Context, task_id: int, subtask_id: int) -> None:
    """Abandon the run of a subtask. Raises TaskNotFound and StateInvalid."""
    task, series_id = await find_subtask(context, task_id, subtask_id)
    await _cancel(context, task, series_id)


async def _cancel(context: Context, task: TaskRecord, series_id: int | None = None) -> None:
    answer = await context.store.tasks.cancel(task, context.clock(), series_id)
    if isinstance(answer, CourseRefused):
        raise _refuse(task, series_id, answer.status, say("only a RUNNING one can be cancelled"))
    if answer is None:
        raise refuse_unknown_task(task.id)


def _refuse(task: TaskRecord, series_id: int | None, status: str, rule: Text) -> StateInvalid:
    if series_id is None:
        return StateInvalid(say("Task {id} is {status}; {rule}.", id=task.id, status=status, rule=rule))
    subtask_id = task.first_subtask_id + series_id
    return StateInvalid(say("Subtask {id} is {status}; {rule}.", id=subtask_id, status=status, rule=rule))
