"""Takes the hosts of a task, and takes them again for a rollback."""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from core.chunks import chunks
from core.claim import (
    GivenAway,
    HeldByOther,
    HostClaim,
    NotInInventory,
    Protected,
    Retaking,
    StaleClaim,
    Taken,
    Taking,
)
from core.lease import HostBusy
from core.outcome.base import Abandoned, Done, Outcome
from core.outcome.hold import HostGivenAway, HostGone, HostHeld, HostLeased, HostProtected
from core.record import TaskRecord
from infra.store.values import CHUNK
from workers.context import WorkerContext
from workers.steps.give_back import free_hosts


async def take_hosts(context: WorkerContext, task: TaskRecord, claims: Sequence[HostClaim]) -> dict[int, Outcome]:
    """Take all hosts or none, and return how each subtask ended, by seriesId.

    In id order, so that of two overlapping requests exactly one gets past the first host that they share.
    """
    during = task.task_type.during
    taken: list[HostClaim] = []
    for chunk in chunks(sorted(claims, key=lambda claim: claim.host_id), CHUNK):
        take = partial(context.store.tasks.take_hosts, chunk, context.clock(), during)
        answer = await context.recorder.retry(take)
        if not isinstance(answer, Taken):
            await free_hosts(context, taken, None)
            return {claim.series_id: _explain_refusal(answer, claim) for claim in claims}
        taken.extend(chunk)
    done = Done(f"Took the host for this task: agent {during.agent}, host {during.host}.")
    return {claim.series_id: done for claim in claims}


async def retake_hosts(context: WorkerContext, task: TaskRecord, claims: Sequence[HostClaim]) -> dict[int, Outcome]:
    """Undo a giving back: take the hosts again, since the task undoes next what it did there.

    Returns:
        How each subtask ended, by seriesId.
    """
    outcomes: dict[int, Outcome] = {}
    for chunk in chunks(claims, CHUNK):
        take = partial(context.store.tasks.retake_hosts, chunk, context.clock(), task.task_type.during)
        answers = await context.recorder.retry(take)
        outcomes |= {claim.series_id: _to_outcome(answer) for claim, answer in zip(chunk, answers, strict=True)}
    return outcomes


def _explain_refusal(answer: Taking, claim: HostClaim) -> Outcome:
    match answer:
        case HeldByOther(host_id, holder):
            return HostHeld(host_id, holder, mine=host_id == claim.host_id)
        case HostBusy():
            return HostLeased(answer, mine=answer.host_id == claim.host_id)
        case Protected(host_id):
            return HostProtected(host_id, mine=host_id == claim.host_id)
        case NotInInventory(host_id):
            return HostGone(host_id)
        case StaleClaim():
            return Abandoned()  # cancelled, or lost: the record knows which
        case Taken():
            raise ValueError(answer)
        case _:
            assert_never(answer)


def _to_outcome(answer: Retaking) -> Outcome:
    match answer:
        case Taken():
            return Done("This task holds the host again, to undo what it did there.")
        case HeldByOther(host_id, holder):
            return HostHeld(host_id, holder, mine=True)
        case HostBusy():
            return HostLeased(answer, mine=True)
        case Protected(host_id):
            return HostProtected(host_id, mine=True)
        case GivenAway(host_id):
            return HostGivenAway(host_id)
        case _:
            assert_never(answer)
