"""Change the course of tasks: retry, skip, roll back, cancel."""

from core.record import SubtaskRecord, TaskRecord
from infra.store.codes import STATUS_OF
from infra.store.connection import Reply
from infra.store.task_values import (
    Course,
    CourseChanged,
    CourseRefused,
)
from infra.store.tasks.part import TaskPart

_COURSE_WORDS = {Course.RETRY: "retry", Course.SKIP: "skip", Course.ROLLBACK: "rollback"}


class TaskSteerer(TaskPart):
    """Does to tasks what people ask for."""

    async def change_course(
        self, task: TaskRecord, course: Course, now: int, series_id: int | None = None
    ) -> CourseChanged | CourseRefused | None:
        """Make failed subtasks ready again: one, or (but for SKIP) all of a task that is FAILED.

        The task is RUNNING from then on, and does not expire. A retry of the task is its operation from then on; a
        subtask's is its own affair. Each retried subtask's run counts one more.

        A ROLLBACK turns the task: every subtask of the step that it is at becomes ready to be undone, then those of the
        step before, until all are PENDING and the task is SUCCESSFUL. No run counts for it, until it is retried.
        On the way back a retry undoes again, and so does a second ROLLBACK; a skip leaves things as they are.

        Returns:
            What was changed; Refused where the task (or the subtask) is not FAILED; None where the task is gone.
        """
        head: TaskRecord | None = task
        while head is not None:
            answer = await self._turn(head, course, now, series_id)
            match answer:
                case ["changed", 0, back]:
                    return CourseChanged(head.current_step, bool(back))
                case ["refused", status]:
                    return CourseRefused(_status_word(head, status, series_id))
                case ["gone"]:
                    return None
                case ["moved"]:
                    head = await self.head(task.id)
                case _:
                    pass  # more of it is left to turn
        return None

    async def _turn(self, head: TaskRecord, course: Course, now: int, series_id: int | None) -> Reply:
        args = self._step_args(head, now)
        return await self._redis.run("course", **args, course=_COURSE_WORDS[course], sid=series_id)

    async def cancel(self, task: TaskRecord, now: int, series_id: int | None = None) -> CourseRefused | bool | None:
        """Have the run of a subtask abandoned, or with no subtask named the whole task stopped.

        A subtask must be RUNNING; its worker lets go within a beat or two and records it as FAILED. A task must be
        RUNNING: nothing new of it starts, what runs is cancelled, and what was ready counts as FAILED. Where the worker
        of a run is not alive, the run is FAILED at once.

        Returns:
            True where it was done; CourseRefused where it does not stand so; None where the task is gone.
        """
        head: TaskRecord | None = task
        while head is not None:
            answer = await self._call_off(head, now, series_id)
            match answer:
                case ["done", 0]:
                    return True
                case ["refused", status]:
                    return CourseRefused(_status_word(head, status, series_id))
                case ["gone"]:
                    return None
                case ["moved"]:
                    head = await self.head(task.id)
                case _:
                    pass  # more of it is left to call off
        return None

    async def _call_off(self, head: TaskRecord, now: int, series_id: int | None) -> Reply:
        return await self._redis.run("cancel", **self._step_args(head, now), sid=series_id)


def _status_word(head: TaskRecord, answer: str, series_id: int | None) -> str:
    """Return the status that a refusal names: the task's as it is, a subtask's from its letter."""
    if series_id is None:
        return answer
    stored = None if answer == "-" else SubtaskRecord(STATUS_OF[answer])
    return head.derive_subtask(head.plan.find_step(series_id).index, stored).status
