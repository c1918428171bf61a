"""The Celery tasks: one for each kind of step and one for its lanes, each thin over a plain function.

Arguments are hints from outside: they name a task and a step, which are then looked up in the record.
"""

from typing import Any

from celery import Celery, Task

from core.step import Action
from infra import dispatch
from infra.failpoint import WorkerFailpoint
from workers.errands import run_errand
from workers.messages import NamedStep, handle_lane, handle_message, handle_step
from workers.runtime import Runtime


def register(celery: Celery, runtime: Runtime) -> None:
    """Register the Celery tasks that messages name, working on a started runtime."""

    def step(self: Task[Any, Any], task_id: int, index: int) -> None:
        if not run_step_message(celery, runtime, task_id, index, rest=dispatch.find_next_step(self.request.chain)):
            self.request.chain = None

    def lane(self: Task[Any, Any], task_id: int, index: int, _lane: int) -> None:
        self.request.chain = None
        run_lane_message(celery, runtime, task_id, index)

    def errand(errand_id: str) -> None:
        runtime.call(run_errand(runtime.context, errand_id))

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
        rest: the step at which the chain in the message goes on; None where the message has no chain.

    Returns:
        Whether Celery must go on with the chain in the message. Only the message that opened the next step goes on: a
        copy, or a message that comes too late or too early, ends here.
    """
    handled = runtime.call(handle_message(handle_step, runtime.context, task_id, index))
    if handled is None:
        return False
    named, result = handled
    if result.lanes:
        count = dispatch.lane_count(named.ready, runtime.context.max_lanes, runtime.context.lane_window)
        dispatch.publish(dispatch.build_lanes(celery, named.task, named.planned, count))
    if result.opened is None:
        return False
    runtime.context.reach_failpoint(WorkerFailpoint.STEP_RECORDED)
    if result.opened != rest:
        _publish_from(celery, named, result.opened)
    return result.opened == rest


def _publish_from(celery: Celery, named: NamedStep, opened: int) -> None:
    """Publish the chain from the step that was opened: backwards where it lies before the named step."""
    back = opened < named.planned.index
    dispatch.publish(dispatch.build_chain(celery, named.task, opened, backwards=back))


def run_lane_message(celery: Celery, runtime: Runtime, task_id: int, index: int) -> None:
    """Handle the message of a lane: work until nothing is left, then publish what follows where this lane must."""
    handled = runtime.call(handle_message(handle_lane, runtime.context, task_id, index))
    if handled is None:
        return
    named, result = handled
    if result.opened is not None:
        runtime.context.reach_failpoint(WorkerFailpoint.LANE_RECORDED)
        _publish_from(celery, named, result.opened)
    if result.handed_over:
        dispatch.publish(dispatch.build_lanes(celery, named.task, named.planned, 1))
