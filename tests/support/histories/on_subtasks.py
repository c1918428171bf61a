"""What is done to the subtasks of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.claim import ClaimKey, ClaimVerdict
from core.status import Operation, Status
from core.transition import Failed, Succeeded, Undone
from infra.store.task_values import ClaimRequest, Course
from tests.support.histories import invariants, subtask_answers
from tests.support.histories.actions import (
    Action,
    Advance,
    Cancel,
    Drain,
    Note,
    TakeAway,
    Turn,
    Withdraw,
)
from tests.support.records import FIRST, SECOND, open_log, run_log

if TYPE_CHECKING:
    from core.claim import Claim
    from core.record import TaskRecord
    from core.transition import Settled
    from tests.support.histories.history import History


@dataclass
class OnSubtasks:
    """Does things to subtasks, and checks what the record answers."""

    history: History

    async def do(self, task: TaskRecord, action: Action) -> None:
        match action:
            case Withdraw():
                await self._withdraw(task)
            case Advance():
                await self._advance_at_random(task, action)
            case Drain(_, times, bad):
                for left in reversed(range(times)):
                    await self._drain(task, bad=bad and not left)
            case Turn(_, which, course):
                await self._turn(task, which, course)
            case TakeAway():
                await self._take_away(task, action)
            case Cancel(_, which, beating):
                await self._cancel(task, which, beating=beating)
            case Note(_, which, other):
                await self._note(task, which, other)
            case _:
                pass

    async def _withdraw(self, task: TaskRecord) -> None:
        is_withdrawn = await self.history.record.tasks.withdraw(task.id)
        change = await self.history.look()
        if is_withdrawn:
            assert task.id not in change.after.heads
            assert not change.before.stored.get(task.id), "somebody has claimed of it"
        else:
            assert change.before.stored[task.id], "nobody has claimed of it"
            assert change.is_nothing

    async def _advance_at_random(self, task: TaskRecord, action: Advance) -> None:
        mine = [claim for claim in reversed(self.history.claims) if claim.task_id == task.id]
        results = [_result(mine[index % len(mine)], kind) for index, kind in action.settled] if mine else []
        own = mine[action.own % len(mine)].token if mine and action.own is not None else None
        request = None if action.limit is None else ClaimRequest(action.limit, whole=action.whole, own=own)
        await self.advance(task, action.step, results, request, second=action.second_worker)

    async def advance(
        self, task: TaskRecord, step: int, results: list[Settled], request: ClaimRequest | None, *, second: bool = False
    ) -> tuple[Claim, ...]:
        worker = SECOND if second else FIRST
        settlement, claims = await self.history.record.tasks.advance(
            task, task.plan.steps[step], worker, self.history.now, settled=results, claim=request
        )
        self.history.reported |= {ClaimKey(task.id, result.series_id, result.token) for result in results}
        change = await self.history.look(invariants.ADVANCE)
        for result in subtask_answers.check_settlement(change, task, step, results, settlement):
            assert result.log in await self.history.record.tasks.logs(task, result.series_id)
        subtask_answers.check_claims(change, task, step, worker, claims.granted)
        tokens = [claim.token for claim in claims.granted]
        given = max((claim.token for claim in self.history.claims if claim.task_id == task.id), default=0)
        assert tokens == list(range(given + 1, given + 1 + len(tokens))), "no token is given twice"
        self.history.claims.extend(claims.granted)
        may_claim = request is not None and request.limit > 0 and not (second and self.history.has_lost_second)
        if not may_claim or request is None:
            assert not claims.granted
            return ()
        assert len(claims.granted) <= request.limit
        subtask_answers.check_refusal(change, task, step, request, claims.verdict)
        if task.id in change.after.heads and len(claims.granted) < request.limit and not claims.withheld:
            of_step = {change.after.subtasks[task.id, sid].status for sid in task.plan.steps[step].series}
            assert Status.READY not in of_step or claims.verdict is not ClaimVerdict.GRANTED, "some could be claimed"
        return claims.granted

    async def _drain(self, task: TaskRecord, *, bad: bool) -> None:
        head = self.history.seen.heads.get(task.id)
        if head is None:
            return
        await self.advance(task, head.current_step, [], ClaimRequest(10))
        mine = [claim for claim in self.history.claims if claim.task_id == task.id]
        claims = [claim for claim in mine if self.history.seen.is_under(claim)]
        results = [_result(claim, Undone if claim.operation.is_rollback else Succeeded) for claim in claims]
        if bad and claims:
            results[0] = _result(claims[0], Failed)
        await self.advance(task, head.current_step, results, None)

    async def _turn(self, task: TaskRecord, which: int | None, course: Course) -> None:
        stored = self.history.seen.stored.get(task.id, {})
        bad = sorted(series_id for series_id, one in stored.items() if one.status is Status.FAILED)
        series_id = which if which is None or not bad else bad[which % len(bad)]
        if series_id is None:
            course = Course.RETRY if course is Course.SKIP else course
        elif series_id >= task.plan.size or course is Course.ROLLBACK:
            return
        answer = await self.history.record.tasks.change_course(task, course, self.history.now, series_id)
        change = await self.history.look(invariants.CHANGE_COURSE)
        subtask_answers.check_course(change, task, course, series_id, answer)

    async def _cancel(self, task: TaskRecord, which: int | None, *, beating: bool) -> None:
        if which is not None and which >= task.plan.size:
            return
        if beating:
            await self.history.record.beat(FIRST)
        answer = await self.history.record.tasks.cancel(task, self.history.now, which)
        change = await self.history.look(invariants.CANCEL)
        subtask_answers.check_cancellation(change, task, which, answer)
        cancelled = (await self.history.record.beat(FIRST)).cancelled
        let_go = {claim for claim in change.after.claims[FIRST] if change.after.is_canceling(claim)}
        assert let_go <= cancelled, "a worker is asked to let go of what is being cancelled"

    async def _take_away(self, task: TaskRecord, action: TakeAway) -> None:
        known = [claim for claim in self.history.claims if claim.task_id == task.id]
        claims = [claim.key for claim in known if self.history.seen.stands(claim)][:3]
        claims += [known[index % len(known)].key for index in action.others if known]
        if not claims:
            return
        worker = SECOND if action.second_worker else FIRST
        lost = run_log(1, "lost") if action.lost else None
        answer = await self.history.record.tasks.reopen(task, worker, claims, self.history.now, lost=lost)
        change = await self.history.look(invariants.REOPEN)
        subtask_answers.check_reopened(change, worker, claims, answer)

    async def _note(self, task: TaskRecord, which: tuple[int, ...], other: int) -> None:
        mine = [claim for claim in reversed(self.history.claims) if claim.task_id == task.id]
        chosen = [mine[index % len(mine)] for index in which if mine]
        chosen += [self.history.claims[other % len(self.history.claims)]] if self.history.claims else []
        logs = {claim.key: open_log(claim, f"at {self.history.now} under {claim.token}") for claim in chosen}
        await self.history.record.note(*logs.values())
        change = await self.history.look()
        assert change.is_nothing
        for key, noted in logs.items():
            is_kept = noted.log in await self.history.record.tasks.logs(self.history.task(key.task_id), key.series_id)
            assert is_kept == change.after.is_under(key), "the log of a run that goes on is kept, and no other"


def _result(claim: Claim, kind: type[Settled]) -> Settled:
    if kind is Failed and claim.operation is Operation.SKIP:
        kind = Succeeded  # a skip does not fail
    text = "badly" if kind is Failed else "well"
    return kind(claim.series_id, claim.token, run_log(claim.run_time, text), touched=kind is Failed)
