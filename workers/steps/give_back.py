"""Gives the hosts of a task back, after its work or in a rollback."""

from collections.abc import Mapping, Sequence
from functools import partial

from core.claim import HostClaim
from core.host import HostState
from core.outcome.base import Done, Outcome
from core.record import PENDING, SubtaskRecord, TaskRecord
from core.status import Operation
from workers.context import WorkerContext
from workers.steps.claim_chunks import map_chunks

ClaimsByState = Mapping[HostState | None, Sequence[HostClaim]]
"""Claims by the state that their hosts get; None: the state from before the task."""


async def give_back(context: WorkerContext, task: TaskRecord, claims: Sequence[HostClaim]) -> dict[int, Outcome]:
    """Give the hosts back, and return how each subtask ended, by seriesId.

    Where the work on a host was skipped, or the task type says so, the host gets the state that the last look at it
    saw; where nobody looked, or no agent was seen, the state from before the task.
    """
    after = task.task_type.after
    if after is not None and not task.skipped:
        return await _give_back_as(context, claims, {after: claims})
    groups: dict[HostState | None, list[HostClaim]] = {}
    stored = await context.recorder.retry(partial(context.store.tasks.subtasks, task))
    for claim in claims:
        *_, last = _list_host_subtasks(task, stored, claim)
        as_seen = after is None or last.operation is Operation.SKIP
        groups.setdefault(_find_last_seen(task, stored, claim) if as_seen else after, []).append(claim)
    return await _give_back_as(context, claims, groups)


async def restore(context: WorkerContext, task: TaskRecord, claims: Sequence[HostClaim]) -> dict[int, Outcome]:
    """Undo a taking: give the hosts back as they were, and return how each subtask ended, by seriesId.

    Where the rollback worked on a host, or was skipped there, the host gets the state that the last look at it saw
    instead: nobody knows what a run that was lost has changed, and its rollback can leave the agent in another state
    than before the task.
    """
    groups: dict[HostState | None, list[HostClaim]] = {}
    stored = await context.recorder.retry(partial(context.store.tasks.subtasks, task))
    for claim in claims:
        as_seen = any(map(_may_have_changed_host, _list_host_subtasks(task, stored, claim)))
        groups.setdefault(_find_last_seen(task, stored, claim) if as_seen else None, []).append(claim)
    return await _give_back_as(context, claims, groups)


async def free_hosts(context: WorkerContext, claims: Sequence[HostClaim], after: HostState | None) -> set[int]:
    """Give hosts back in this state, or (None) as they were, and return the ids of those that the task held."""

    async def free(chunk: Sequence[HostClaim]) -> tuple[int, ...]:
        return await context.recorder.retry(partial(context.store.tasks.give_back_hosts, chunk, context.clock(), after))

    return {host_id for freed in await map_chunks(claims, free) for host_id in freed}


async def _give_back_as(
    context: WorkerContext, claims: Sequence[HostClaim], groups: ClaimsByState
) -> dict[int, Outcome]:
    not_held = Done("This task does not hold the host, or no longer does; nothing was changed.")
    outcomes: dict[int, Outcome] = dict.fromkeys((claim.series_id for claim in claims), not_held)
    for after, group in groups.items():
        freed = await free_hosts(context, group, after)
        done = Done(f"Gave the host back; its agent is {after.agent if after else 'as it was before this task'}.")
        outcomes |= {claim.series_id: done for claim in group if claim.host_id in freed}
    return outcomes


def _may_have_changed_host(record: SubtaskRecord) -> bool:
    """Return whether a subtask's rollback worked on the host, or was skipped."""
    if record.operation is Operation.ROLLBACK_SKIP:
        return True
    return record.operation is Operation.ROLLBACK and record.touched


def _list_host_subtasks(
    task: TaskRecord, stored: Mapping[int, SubtaskRecord], claim: HostClaim
) -> Sequence[SubtaskRecord]:
    """Return what happened on the claim's host in each step that works on hosts, in the plan's order."""
    steps = [planned for planned in task.plan if planned.step.action.is_remote]
    return [stored.get(planned.first + _get_index(task, claim), PENDING) for planned in steps]


def _find_last_seen(task: TaskRecord, stored: Mapping[int, SubtaskRecord], claim: HostClaim) -> HostState | None:
    """Return what the task's last look at the claim's host saw; None where it never looked."""
    return task.find_last_state(stored, _get_index(task, claim))


def _get_index(task: TaskRecord, claim: HostClaim) -> int:
    return claim.series_id - task.plan.find_step(claim.series_id).first
