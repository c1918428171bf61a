"""What a rollback does on a host: it starts an agent that the task stopped, and stops one that the task started."""

from functools import partial
from types import MappingProxyType
from typing import Final

from core.claim import HostClaim
from core.outcome.base import Outcome, PassedOver
from core.record import SubtaskRecord, TaskRecord
from core.step import Action
from workers.context import WorkerContext

OPPOSITES: Final = MappingProxyType({Action.STOP_AGENT: Action.START_AGENT, Action.START_AGENT: Action.STOP_AGENT})
"""What undoes an action that changes something on a host."""


async def explain_nothing_to_undo(context: WorkerContext, task: TaskRecord, claim: HostClaim) -> Outcome | None:
    """Return why a subtask has nothing to undo on its host; None where it has something.

    Only what the task did, or may have done, is undone: an agent that was stopped before the task stays stopped.
    """
    if not claim.held:
        return PassedOver("this task does not hold the host, or no longer does, so the host is left as it is")
    action = task.plan.find_step(claim.series_id).step.action
    if action not in OPPOSITES or not claim.touched:
        return PassedOver("no run of this subtask changed the agent on this host")
    if action is Action.START_AGENT:
        stop = await find_earlier_subtask(context, task, claim, Action.STOP_AGENT)
        if stop is not None and stop.touched:
            return PassedOver("the agent ran before this task stopped it and started it again")
    return None


async def find_earlier_subtask(
    context: WorkerContext, task: TaskRecord, claim: HostClaim, action: Action
) -> SubtaskRecord | None:
    """Return what is stored of the subtask of an earlier step on the claim's host; None where nothing is."""
    here = task.plan.find_step(claim.series_id)
    for planned in task.plan.steps[: here.index]:
        if planned.step.action is action:
            series_id = planned.first + claim.series_id - here.first
            return await context.recorder.retry(partial(context.store.tasks.subtask, task, series_id))
    return None
