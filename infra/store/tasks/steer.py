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
    """Changes the course of tasks."""

    async def change_course(
        self, task: TaskRecord, course: Course, now: int, series_id: int | None = None
    ) -> CourseChanged | CourseRefused | None:
        """Make failed subtasks ready again: one, or all of a FAILED task. SKIP takes one only.

        The task is RUNNING afterwards, and does not expire. A retry of the whole task becomes its operation; a retry of
        one subtask does not. Each retried subtask has a run time of one more.

        A ROLLBACK turns the task round. Every subtask of its current step becomes ready to be undone, then those of the
        step before, until all are PENDING and the task is SUCCESSFUL. The undoing keeps the run time, until it is
        retried. On the way back a retry undoes again, and so does a second ROLLBACK; a skip leaves things as they are.

        Returns:
            What was changed; CourseRefused if the task (or the subtask) is not FAILED; None if the task is gone.
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
        """Abandon the run of a subtask, or stop the whole task if no subtask is named.

        A subtask must be RUNNING. Its worker lets go within a beat or two and records it as FAILED. A task must be
        RUNNING. Nothing new of it starts, what runs is cancelled, and what was ready is FAILED. If the worker of a run
        is not alive, the run is FAILED at once.

        Returns:
            True if it was done; CourseRefused if the subtask or the task is not RUNNING; None if the task is gone.
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
    """Return the status in a refusal: the word of a task, or the letter of a subtask."""
    if series_id is None:
        return answer
    stored = None if answer == "-" else SubtaskRecord(STATUS_OF[answer])
    return head.derive_subtask(head.plan.find_step(series_id).index, stored).status
