"""What the record answers about subtasks must be seen in them: before the call, after it, or in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core.claim import ClaimVerdict, HostClaim
from core.status import Operation, Status, TaskStatus
from core.transition import GOING_ON, MOVES, Failed, Undone
from infra.store.task_values import Course, CourseRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.claim import Claim, ClaimKey, Reopened, Settlement, Worker
    from core.record import SubtaskRecord, TaskRecord
    from core.transition import Settled
    from infra.store.task_values import ClaimRequest, CourseChanged
    from tests.support.histories.snapshot import Change

FORWARD = {Course.RETRY: Operation.RETRY, Course.SKIP: Operation.SKIP, Course.ROLLBACK: Operation.ROLLBACK}
"""Why a failed subtask of a task that goes forward runs next."""


def check_settlement(
    change: Change, task: TaskRecord, step: int, results: Sequence[Settled], answer: Settlement
) -> list[Settled]:
    """Check which results were recorded and what they led to; return those that were recorded."""
    stored = change.before.stored.get(task.id, {})
    recorded: dict[int, Settled] = {}
    stale = []
    for result in results:
        one = stored.get(result.series_id)
        in_step = result.series_id in task.plan.steps[step].series
        if one and in_step and _can_end(one, result) and result.series_id not in recorded:
            recorded[result.series_id] = result
        else:
            stale.append(result.series_id)
    assert answer.stale == tuple(stale)
    for series_id, result in recorded.items():
        was, now = stored[series_id], change.after.stored[task.id][series_id]
        if was.status is Status.CANCELING:
            assert (now.status, now.operation) == (Status.FAILED, Operation.CANCEL), (was, now)
        else:
            assert (now.status, now.operation) == (MOVES[result.move].target, was.operation), (was, now)
        assert now.finished is not None
    then, head = change.before.heads.get(task.id), change.after.heads.get(task.id)
    if head is None or then is None:
        assert answer.opened is None
    else:
        assert answer.task_status is head.status or not results
        assert answer.opened == (None if then.current_step == head.current_step else head.current_step), (
            "exactly one caller is told"
        )
    return list(recorded.values())


def _can_end(one: SubtaskRecord, result: Settled) -> bool:
    """Return whether a result is one of the run that goes on, and fits what it is there for."""
    fits = isinstance(result, Failed) or one.operation.is_rollback == isinstance(result, Undone)
    return one.token == result.token and one.status in GOING_ON and fits


def check_refusal(change: Change, task: TaskRecord, step: int, request: ClaimRequest, verdict: ClaimVerdict) -> None:
    """Check that there is a reason for the verdict of a claim, and for no other one."""
    head = change.after.heads.get(task.id)
    goes_on = request.whole and request.own is not None
    match verdict:
        case ClaimVerdict.GONE:
            assert head is None
        case ClaimVerdict.EARLY:
            assert head is not None
            assert step > head.opened or (head.is_rollback and step != head.current_step)
        case ClaimVerdict.CLOSED:
            assert head is not None
            assert head.cancelled
        case ClaimVerdict.BRAKED:
            assert change.after.brake is not None
            assert not goes_on
        case ClaimVerdict.BUSY:
            assert request.whole
        case ClaimVerdict.GRANTED:
            assert head is not None
            assert not head.cancelled
            assert change.after.brake is None or goes_on
        case ClaimVerdict.NEWER:
            raise AssertionError("there is no newer task")
        case _:
            assert_never(verdict)


def check_claims(change: Change, task: TaskRecord, step: int, worker: Worker, granted: Sequence[Claim]) -> None:
    """Check that what was granted was ready, and runs under the new claim now."""
    for claim in granted:
        now = change.after.stored[task.id][claim.series_id]
        assert change.before.subtasks[task.id, claim.series_id].status is Status.READY, claim
        assert (now.status, now.token, now.executor) == (Status.RUNNING, claim.token, worker.name), (claim, now)
        assert (now.operation, now.run_time) == (claim.operation, claim.run_time), (claim, now)
        assert claim.series_id in task.plan.steps[step].series
        assert step == change.after.heads[task.id].current_step
        if isinstance(claim, HostClaim):
            assert claim.touched == now.touched, (claim, now)
            host = change.after.hosts.get(claim.host_id)
            assert claim.held == (host is not None and host.holder == task.id), (claim, host)
            assert claim.target == (host and host.target), (claim, host)


def check_course(
    change: Change,
    task: TaskRecord,
    course: Course,
    series_id: int | None,
    answer: CourseChanged | CourseRefused | None,
) -> None:
    """Check that failed subtasks are ready again, or that there is a reason why not."""
    head = change.after.heads.get(task.id)
    if answer is None or head is None:
        assert answer is None
        assert head is None
    elif isinstance(answer, CourseRefused):
        assert answer.status != Status.FAILED
        check_refused(change, task, series_id, answer)
    else:
        assert (head.status, answer.step, answer.backwards) == (TaskStatus.RUNNING, head.current_step, head.is_rollback)
        was_failed = {sid for sid, one in change.before.stored[task.id].items() if one.status is Status.FAILED}
        ready = {sid for (_, sid), (was, _) in change.moves.items() if was is Status.FAILED}
        assert ready == (was_failed if series_id is None else {series_id})
        went_back = change.before.heads[task.id].is_rollback
        for sid in ready:
            was, now = change.before.stored[task.id][sid], change.after.stored[task.id][sid]
            assert now.operation is _operation(course, went_back=went_back)
            counts = course is Course.RETRY or (course is Course.ROLLBACK and went_back)
            assert now.run_time == was.run_time + counts


def _operation(course: Course, *, went_back: bool) -> Operation:
    if not went_back:
        return FORWARD[course]
    return Operation.ROLLBACK_SKIP if course is Course.SKIP else Operation.ROLLBACK


def check_cancellation(
    change: Change,
    task: TaskRecord,
    series_id: int | None,
    answer: CourseRefused | bool | None,
) -> None:
    """Check that nothing starts or goes on that was cancelled, or that there is a reason why not."""
    head = change.after.heads.get(task.id)
    if answer is None or head is None:
        assert answer is None
        assert head is None
    elif isinstance(answer, CourseRefused):
        assert answer.status != Status.RUNNING
        check_refused(change, task, series_id, answer)
    else:
        assert answer is True
        moved = {place[1] for place in change.moves}
        active = {Status.READY, Status.RUNNING}
        was_active = {sid for sid in range(task.plan.size) if change.before.subtasks[task.id, sid].status in active}
        assert moved == (was_active if series_id is None else {series_id})
        assert head.cancelled or series_id is not None


def check_refused(change: Change, task: TaskRecord, series_id: int | None, answer: CourseRefused) -> None:
    """Check that a refusal says how things stand, and that nothing was changed."""
    assert change.is_nothing, answer
    if series_id is None:
        assert answer.status == change.before.heads[task.id].status
    else:
        stored = change.before.stored[task.id].get(series_id)
        assert answer.status in {change.before.subtasks[task.id, series_id].status, stored and stored.status}


def check_reopened(change: Change, worker: Worker, claims: Sequence[ClaimKey], answer: Reopened) -> None:
    """Check that what the worker had is ready again, or failed, and nothing else."""
    moves = change.moves
    mine = {
        (one.task_id, one.series_id)
        for one in claims
        if one in change.before.claims[worker] and change.before.is_under(one)
    }
    assert {place for place, (was, _) in moves.items() if was in GOING_ON} == mine
    assert [now for _, now in moves.values()].count(Status.READY) == answer.ready
    assert [now for _, now in moves.values()].count(Status.FAILED) == answer.failed
    assert not change.after.claims[worker] & set(claims)
