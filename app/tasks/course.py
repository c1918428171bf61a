"""To change the course of a task that failed or runs."""

from collections.abc import Mapping
from typing import Final

from app.context import Fleet
from app.tasks.find import find_subtask, find_task, no_task
from app.tasks.outbox import publish
from core.errors import RollbackProhibited, StateInvalid
from core.record import SubtaskRecord, TaskRecord
from core.text import Text, say
from infra.store.task_values import Course, CourseChanged, CourseRefused

_ONLY_FAILED: Final = {
    Course.RETRY: say("only what is FAILED can be asked to retry"),
    Course.SKIP: say("only what is FAILED can be asked to skip"),
    Course.ROLLBACK: say("only what is FAILED can be rolled back"),
}


async def retry_task(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Run again what failed of a task; return the task as it stands then.

    Raises:
        TaskNotFound: there is no such task.
        StateInvalid: it is not FAILED.
    """
    await _change_course(fleet, await find_task(fleet, task_id), Course.RETRY)
    return await _as_it_stands(fleet, task_id)


async def retry_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> tuple[TaskRecord, int, SubtaskRecord]:
    """Run one failed subtask again; return its task, its seriesId and how it stands then. Raises as `retry_task`."""
    task, series_id = await find_subtask(fleet, task_id, subtask_id)
    await _change_course(fleet, task, Course.RETRY, series_id)
    stored = await fleet.store.tasks.subtask(task, series_id)
    return task, series_id, task.derive_subtask(task.plan.find_step(series_id).index, stored)


async def skip_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> None:
    """Let a failed subtask count as successful. Raises as `retry_task`."""
    task, series_id = await find_subtask(fleet, task_id, subtask_id)
    await _change_course(fleet, task, Course.SKIP, series_id)


async def roll_back_task(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Undo what a failed task did, from the step where it failed to the first; return the task as it stands then.

    Raises:
        TaskNotFound: there is no such task.
        RollbackProhibited: tasks of its type cannot be undone.
        StateInvalid: it is not FAILED.
    """
    task = await find_task(fleet, task_id)
    if task.task_type.prohibits_rollback:
        raise RollbackProhibited(
            say(
                "Task {id} may not be rolled back: what “{name}” does cannot be undone. Retry it, or skip what failed.",
                id=task_id,
                name=task.task_type.name,
            )
        )
    await _change_course(fleet, task, Course.ROLLBACK)
    return await _as_it_stands(fleet, task_id)


async def _as_it_stands(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    task = await find_task(fleet, task_id)
    return task, await fleet.store.tasks.subtasks(task)


async def _change_course(fleet: Fleet, task: TaskRecord, course: Course, series_id: int | None = None) -> None:
    answer = await fleet.store.tasks.change_course(task, course, fleet.clock(), series_id)
    match answer:
        case CourseChanged(step, back):
            publish(fleet, task, step, backwards=back)
        case CourseRefused(status):
            raise _refused(task, series_id, status, _ONLY_FAILED[course])
        case None:
            raise no_task(task.id)


async def cancel_task(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Stop a whole task; return it as it stands then. Raises TaskNotFound and StateInvalid, as `retry_task`."""
    await _cancel(fleet, await find_task(fleet, task_id))
    return await _as_it_stands(fleet, task_id)


async def cancel_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> None:
    """Have the run of a subtask abandoned. Raises TaskNotFound and StateInvalid, as `retry_task`."""
    task, series_id = await find_subtask(fleet, task_id, subtask_id)
    await _cancel(fleet, task, series_id)


async def _cancel(fleet: Fleet, task: TaskRecord, series_id: int | None = None) -> None:
    answer = await fleet.store.tasks.cancel(task, fleet.clock(), series_id)
    if isinstance(answer, CourseRefused):
        raise _refused(task, series_id, answer.status, say("only what is RUNNING can be cancelled"))
    if answer is None:
        raise no_task(task.id)


def _refused(task: TaskRecord, series_id: int | None, status: str, rule: Text) -> StateInvalid:
    if series_id is None:
        return StateInvalid(say("Task {id} is {status}; {rule}.", id=task.id, status=status, rule=rule))
    subtask_id = task.first_subtask_id + series_id
    return StateInvalid(say("Subtask {id} is {status}; {rule}.", id=subtask_id, status=status, rule=rule))
