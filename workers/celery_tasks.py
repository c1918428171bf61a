"""The Celery tasks: one for each kind of step and one for its lanes, each thin over a plain function.

Arguments are hints from outside: they name a task and a step, which are then looked up in the record.
"""

from typing import Any

from celery import Celery, Task

from core.step import Action
from infra import dispatch
from infra.failpoint import WorkerFailpoint
from workers.errands import run_errand
from workers.messages import Found, find_and, handle_lane, handle_step
from workers.runtime import Runtime


def register(celery: Celery, runtime: Runtime) -> None:
    """Make the Celery tasks that messages name, working on a started runtime."""

    def step(self: Task[Any, Any], task_id: int, index: int) -> None:
        if not run_step_message(celery, runtime, task_id, index, rest=dispatch.find_next_step(self.request.chain)):
            self.request.chain = None

    def lane(self: Task[Any, Any], task_id: int, index: int, _lane: int) -> None:
        self.request.chain = None
        run_lane_message(celery, runtime, task_id, index)

    def errand(errand_id: str) -> None:
        runtime.call(run_errand(runtime.work, errand_id))

    celery.task(name=dispatch.ERRAND)(errand)
    for action in Action:
        celery.task(name=dispatch.step_name(action), bind=True)(step)
        if action.is_remote:
            celery.task(name=dispatch.lane_name(action), bind=True)(lane)


def run_step_message(celery: Celery, runtime: Runtime, task_id: int, index: int, *, rest: int | None) -> bool:
    """Handle the message of a step.

    Args:
        celery: where to publish.
        runtime: the worker process.
        task_id: the task that the message names.
        index: the step that it names.
        rest: the step that the chain which the message carries goes on with, where it carries one.

    Returns:
        Whether Celery shall go on with the chain that the message carries. Only the message that opened the next step
        goes on: a late, early or second copy ends here.
    """
    handled = runtime.call(find_and(handle_step, runtime.work, task_id, index))
    if handled is None:
        return False
    found, end = handled
    if end.lanes:
        count = dispatch.lane_count(found.ready, runtime.work.max_lanes, runtime.work.lane_window)
        dispatch.publish(dispatch.build_lanes(celery, found.task, found.planned, count))
    if end.opened is None:
        return False
    runtime.work.reach_failpoint(WorkerFailpoint.STEP_RECORDED)
    if end.opened != rest:
        _publish_from(celery, found, end.opened)
    return end.opened == rest


def _publish_from(celery: Celery, found: Found, opened: int) -> None:
    """Publish the chain from the step that was opened: on, or back where it is the one before."""
    back = opened < found.planned.index
    dispatch.publish(dispatch.build_chain(celery, found.task, opened, backwards=back))


def run_lane_message(celery: Celery, runtime: Runtime, task_id: int, index: int) -> None:
    """Handle the message of a lane: work until nothing is left, then publish what follows, if it is ours to do."""
    handled = runtime.call(find_and(handle_lane, runtime.work, task_id, index))
    if handled is None:
        return
    found, end = handled
    if end.opened is not None:
        runtime.work.reach_failpoint(WorkerFailpoint.LANE_RECORDED)
        _publish_from(celery, found, end.opened)
    if end.handed_over:
        dispatch.publish(dispatch.build_lanes(celery, found.task, found.planned, 1))
