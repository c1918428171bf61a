"""The steps that only touch the record: take the hosts, wait, give the hosts back. One message does a whole step.

A rollback undoes each of them: hosts that were given back are taken again, hosts that were taken are given back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

import structlog

from core.claim import Claim, ClaimVerdict, HostClaim, require_host_claims
from core.outcome.base import Done, InternalError, Outcome, TimedOut
from core.plan import PlannedStep
from core.record import TaskRecord
from core.status import Operation
from core.step import Action
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK
from workers.context import WorkerContext
from workers.steps.claim_chunks import map_chunks
from workers.steps.give_back import free_hosts, give_back, restore
from workers.steps.host_run import SKIPPED
from workers.steps.results import make_transitions
from workers.steps.take_hosts import retake_hosts, take_hosts

log = structlog.get_logger(__name__)

HostWork: TypeAlias = Callable[[WorkerContext, TaskRecord, Sequence[HostClaim]], Awaitable[dict[int, Outcome]]]
"""What a step does with the claims of its hosts. Returns how each subtask ended, by seriesId."""

_EXECUTE: Final = MappingProxyType[Action, HostWork]({Action.TAKE_HOSTS: take_hosts, Action.GIVE_BACK: give_back})
_ROLL_BACK: Final = MappingProxyType[Action, HostWork]({Action.TAKE_HOSTS: restore, Action.GIVE_BACK: retake_hosts})


async def run_step(context: WorkerContext, task: TaskRecord, planned: PlannedStep) -> int | None:
    """Claim a whole step, do or undo it, and record it.

    Returns:
        The step that this call opened by settling the last subtask of its own; the caller must publish it.
    """
    claims = await _claim_all(context, task, planned)
    try:
        return await _do_and_record(context, task, planned, claims)
    finally:
        context.recorder.forget(claims)


async def _claim_all(context: WorkerContext, task: TaskRecord, planned: PlannedStep) -> list[Claim]:
    claims: list[Claim] = []
    while True:
        request = ClaimRequest(CHUNK, whole=True, own=claims[0].token if claims else None)
        _, answer = await context.recorder.advance(task, planned, claim=request)
        claims.extend(answer.granted)
        if answer.verdict is not ClaimVerdict.GRANTED:
            log.info("nothing to claim", why=answer.verdict.value)
        if len(answer.granted) < CHUNK:
            return claims


async def _do_and_record(
    context: WorkerContext, task: TaskRecord, planned: PlannedStep, claims: Sequence[Claim]
) -> int | None:
    outcomes: dict[int, Outcome] = dict.fromkeys((claim.series_id for claim in claims), SKIPPED)
    due = [claim for claim in claims if not _is_skipped(planned, claim)]
    if due:
        outcomes |= await _do_within_limit(context, task, planned, due)

    async def record(chunk: Sequence[Claim]) -> int | None:
        settlement, _ = await context.recorder.advance(task, planned, make_transitions(context, chunk, outcomes))
        return settlement.opened

    return next((opened for opened in await map_chunks(claims, record) if opened is not None), None)


def _is_skipped(planned: PlannedStep, claim: Claim) -> bool:
    """Return whether a person had the subtask skipped. A host is given back even then: nobody could have it else."""
    gives_back = planned.step.action is Action.TAKE_HOSTS and claim.operation is Operation.ROLLBACK_SKIP
    return claim.operation in {Operation.SKIP, Operation.ROLLBACK_SKIP} and not gives_back


async def _do_within_limit(
    context: WorkerContext, task: TaskRecord, planned: PlannedStep, claims: Sequence[Claim]
) -> dict[int, Outcome]:
    step, is_rollback = planned.step, claims[0].operation.is_rollback
    outcome: Outcome
    try:
        async with asyncio.timeout(step.timeout):
            return await _do(context, task, step.action, claims)
    except TimeoutError:
        activity = "undoing" if is_rollback else "doing"
        outcome = TimedOut(f"{activity} “{step.name}” for all hosts", step.timeout)
    except Exception as error:  # a bug of ours must end in the record: the message is gone
        log.exception("step failed")
        outcome = InternalError(f"{type(error).__name__}: {error}")
    if step.action is Action.TAKE_HOSTS and not is_rollback:  # a Prepare that fails holds nothing
        await free_hosts(context, require_host_claims(claims), None)
    return {claim.series_id: outcome for claim in claims}


async def _do(context: WorkerContext, task: TaskRecord, action: Action, claims: Sequence[Claim]) -> dict[int, Outcome]:
    is_rollback = claims[0].operation.is_rollback
    if action is Action.WAIT:
        done = Done("There is nothing to undo." if is_rollback else "Every subtask before this one is SUCCESSFUL.")
        return dict.fromkeys((claim.series_id for claim in claims), done)
    work = (_ROLL_BACK if is_rollback else _EXECUTE)[action]
    return await work(context, task, require_host_claims(claims))
