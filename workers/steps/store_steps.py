"""The steps that only touch the record: take the hosts, wait, give the hosts back. One message does a whole step.

On the way back each is undone: hosts that were given back are taken again, hosts that were taken are given back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, assert_never, cast

import structlog

from core.chunks import chunks
from core.claim import (
    Claim,
    ClaimVerdict,
    GivenAway,
    HeldByOther,
    HostClaim,
    NotInInventory,
    Protected,
    Retaking,
    StaleClaim,
    Taken,
    Taking,
    require_host_claims,
)
from core.host import HostState
from core.lease import HostBusy
from core.outcome.base import Abandoned, Done, InternalError, Outcome, TimedOut
from core.outcome.hold import HostGivenAway, HostGone, HostHeld, HostLeased, HostProtected
from core.plan import PlannedStep
from core.record import PENDING, SubtaskRecord, TaskRecord
from core.status import Operation
from core.step import Action
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK
from workers.context import Work
from workers.steps.claim_chunks import by_two
from workers.steps.host_run import SKIPPED
from workers.steps.results import make_transitions

log = structlog.get_logger(__name__)

Verdicts = dict[int, Outcome]
"""How each claimed subtask of a step ended, by seriesId."""


Doing = Callable[[Work, TaskRecord, Sequence[HostClaim]], Awaitable[Verdicts]]
"""What a store-only step does with the claims of its hosts."""


async def run_step(work: Work, task: TaskRecord, planned: PlannedStep) -> int | None:
    """Claim a whole step, do or undo it, record it.

    Returns:
        The step that this call opened by settling the last subtask of its own, which the caller must publish.
    """
    claims = await _claim_whole(work, task, planned)
    try:
        return await _do_and_record(work, task, planned, claims)
    finally:
        work.recorder.drop(claims)


async def _do_and_record(work: Work, task: TaskRecord, planned: PlannedStep, claims: Sequence[Claim]) -> int | None:
    wanted = [claim for claim in claims if not _passed_over(planned, claim)]
    verdicts = dict.fromkeys((claim.series_id for claim in claims), cast("Outcome", SKIPPED))
    if wanted:
        verdicts |= await _within_limit(work, task, planned, wanted)

    async def record(chunk: Sequence[Claim]) -> int | None:
        settlement, _ = await work.recorder.advance(task, planned, make_transitions(work, chunk, verdicts))
        return settlement.opened

    return next((opened for opened in await by_two(claims, record) if opened is not None), None)


def _passed_over(planned: PlannedStep, claim: Claim) -> bool:
    """Return whether nothing is done because a person said so. A host is given back even then: nobody could have it."""
    gives_back = planned.step.action is Action.TAKE_HOSTS and claim.operation is Operation.ROLLBACK_SKIP
    return claim.operation in {Operation.SKIP, Operation.ROLLBACK_SKIP} and not gives_back


async def _claim_whole(work: Work, task: TaskRecord, planned: PlannedStep) -> list[Claim]:
    claims: list[Claim] = []
    while True:
        request = ClaimRequest(CHUNK, whole=True, own=claims[0].token if claims else None)
        _, answer = await work.recorder.advance(task, planned, claim=request)
        claims.extend(answer.granted)
        if answer.verdict is not ClaimVerdict.GRANTED:
            log.info("nothing to claim", why=answer.verdict.value)
        if len(answer.granted) < CHUNK:
            return claims


async def _within_limit(work: Work, task: TaskRecord, planned: PlannedStep, claims: Sequence[Claim]) -> Verdicts:
    back = claims[0].operation.is_rollback
    try:
        async with asyncio.timeout(planned.step.timeout):
            return await _do(work, task, planned.step.action, claims)
    except TimeoutError:
        doing = "undoing" if back else "doing"
        verdict: Outcome = TimedOut(f"{doing} “{planned.step.name}” for all hosts", planned.step.timeout)
    except Exception as error:  # a fault of ours must end in the record, not in a message that is gone
        log.exception("step failed")
        verdict = InternalError(f"{type(error).__name__}: {error}")
    if not back:
        await _let_go(work, planned, claims)
    return {claim.series_id: verdict for claim in claims}


async def _do(work: Work, task: TaskRecord, action: Action, claims: Sequence[Claim]) -> Verdicts:
    undoes = claims[0].operation.is_rollback
    if action is Action.WAIT:
        passed = Done("There is nothing to undo." if undoes else "Every subtask before this one is SUCCESSFUL.")
        return dict.fromkeys((claim.series_id for claim in claims), passed)
    return await (_UNDOING if undoes else _DOING)[action](work, task, require_host_claims(claims))


async def _let_go(work: Work, planned: PlannedStep, claims: Sequence[Claim]) -> None:
    """Take back a taking that broke off: a Prepare that fails holds nothing."""
    if planned.step.action is Action.TAKE_HOSTS:
        await _free(work, require_host_claims(claims), None)


async def _take_hosts(work: Work, task: TaskRecord, claims: Sequence[HostClaim]) -> Verdicts:
    """Take all hosts or none.

    In id order, so that of two overlapping requests exactly one gets past the first host that they share.
    """
    ordered = sorted(claims, key=lambda claim: claim.host_id)
    during = task.task_type.during
    taken: list[HostClaim] = []
    for chunk in chunks(ordered, CHUNK):
        take = partial(work.store.tasks.take_hosts, chunk, work.clock(), during)
        answer = await work.recorder.persist(take)
        if not isinstance(answer, Taken):
            await _free(work, taken, None)
            return {claim.series_id: _refusal(answer, claim) for claim in claims}
        taken.extend(chunk)
    done = Done(f"Took the host for this task: agent {during.agent}, host {during.host}.")
    return {claim.series_id: done for claim in claims}


def _refusal(answer: Taking, claim: HostClaim) -> Outcome:
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


async def _give_back(work: Work, task: TaskRecord, claims: Sequence[HostClaim]) -> Verdicts:
    return await _give_back_as(work, claims, await _by_state(work, task, claims))


async def _restore(work: Work, task: TaskRecord, claims: Sequence[HostClaim]) -> Verdicts:
    """Undo a taking: give the hosts back as they were.

    Where the work on a host was undone there, or the undoing was skipped, what the last look at the host said is true
    of it instead: of a run that was lost nobody knows what it changed, and its undoing can leave the agent otherwise
    than it was found.
    """
    groups: dict[HostState | None, list[HostClaim]] = {}
    stored = await work.recorder.persist(partial(work.store.tasks.subtasks, task))
    for claim in claims:
        looked = any(map(_left_as_seen, _on_host(task, stored, claim)))
        groups.setdefault(_seen_last(task, stored, claim) if looked else None, []).append(claim)
    return await _give_back_as(work, claims, groups)


def _left_as_seen(record: SubtaskRecord) -> bool:
    """Whether a subtask's way back went to the host, or was skipped."""
    if record.operation is Operation.ROLLBACK_SKIP:
        return True
    return record.operation is Operation.ROLLBACK and record.touched


async def _retake(work: Work, task: TaskRecord, claims: Sequence[HostClaim]) -> Verdicts:
    """Undo a giving back: what was done on the hosts is undone next, and for that they must be the task's own."""
    verdicts: Verdicts = {}
    for chunk in chunks(claims, CHUNK):
        take = partial(work.store.tasks.retake_hosts, chunk, work.clock(), task.task_type.during)
        answers = await work.recorder.persist(take)
        verdicts |= {claim.series_id: _retaken(answer) for claim, answer in zip(chunk, answers, strict=True)}
    return verdicts


def _retaken(answer: Retaking) -> Outcome:
    match answer:
        case Taken():
            return Done("This task holds the host (again), to undo what it did there.")
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


async def _give_back_as(
    work: Work, claims: Sequence[HostClaim], groups: Mapping[HostState | None, Sequence[HostClaim]]
) -> Verdicts:
    others = Done("The host was not held by this task (any more); nothing was changed.")
    verdicts: Verdicts = dict.fromkeys((claim.series_id for claim in claims), others)
    for after, mine in groups.items():
        freed = await _free(work, mine, after)
        done = Done(f"Gave the host back; its agent is {after.agent if after else 'as it was before this task'}.")
        verdicts |= {claim.series_id: done for claim in mine if claim.host_id in freed}
    return verdicts


async def _by_state(
    work: Work, task: TaskRecord, claims: Sequence[HostClaim]
) -> Mapping[HostState | None, Sequence[HostClaim]]:
    """Group hosts by where they and their agents stand from now on.

    Where the work on a host was skipped, or the task type says so, it is what the last look at the host said; where
    nobody looked, or saw no agent, what it was before the task (None).
    """
    after = task.task_type.after
    if after is not None and not task.skipped:
        return {after: claims}
    groups: dict[HostState | None, list[HostClaim]] = {}
    stored = await work.recorder.persist(partial(work.store.tasks.subtasks, task))
    for claim in claims:
        *_, last = _on_host(task, stored, claim)
        looked = after is None or last.operation is Operation.SKIP
        groups.setdefault(_seen_last(task, stored, claim) if looked else after, []).append(claim)
    return groups


def _on_host(task: TaskRecord, stored: Mapping[int, SubtaskRecord], claim: HostClaim) -> Sequence[SubtaskRecord]:
    """Return what happened to each step that works on hosts, on a claim's host, in the plan's order."""
    steps = [planned for planned in task.plan if planned.step.action.is_remote]
    return [stored.get(planned.first + _index(task, claim), PENDING) for planned in steps]


def _seen_last(task: TaskRecord, stored: Mapping[int, SubtaskRecord], claim: HostClaim) -> HostState | None:
    """Return what the task's last look at a claim's host said; None where it never looked."""
    return task.find_last_state(stored, _index(task, claim))


def _index(task: TaskRecord, claim: HostClaim) -> int:
    return claim.series_id - task.plan.find_step(claim.series_id).first


async def _free(work: Work, claims: Sequence[HostClaim], after: HostState | None) -> set[int]:
    """Give hosts back, their state set or (None) restored, and return which ones were ours to give."""

    async def free(chunk: Sequence[HostClaim]) -> tuple[int, ...]:
        return await work.recorder.persist(partial(work.store.tasks.give_back_hosts, chunk, work.clock(), after))

    return {host_id for freed in await by_two(claims, free) for host_id in freed}


_DOING: Final = MappingProxyType[Action, Doing](
    {
        Action.TAKE_HOSTS: _take_hosts,
        Action.GIVE_BACK: _give_back,
    }
)
_UNDOING: Final = MappingProxyType[Action, Doing](
    {
        Action.TAKE_HOSTS: _restore,
        Action.GIVE_BACK: _retake,
    }
)
