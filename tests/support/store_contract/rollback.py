"""Tasks that failed go back: step by step from where they failed to the first."""

from collections.abc import Sequence
from dataclasses import replace

from core.claim import ClaimVerdict, GivenAway, HeldByOther, Taken
from core.host import RUNNING, STOPPED, AgentStatus, HostStatus
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Succeeded
from infra.store.host_values import Release
from infra.store.task_values import CourseChanged, CourseRefused
from infra.store.values import CHUNK
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND_WAIT,
    STOP,
    make_failures,
    make_successes,
    make_undos,
    run_log,
)
from tests.support.scenario import Record, Task


async def failed_task(record: Record, hosts: Sequence[int] = (1, 2, 3)) -> Task:
    """Return a task whose second Stop failed."""
    task = await record.accept(hosts)
    await task.pass_steps_before(STOP)
    claims = await task.claim(STOP)
    results = [
        Failed(one.series_id, one.token, run_log(1, "badly"), agent_alive=None, touched=True)
        if one is claims[1]
        else Succeeded(one.series_id, one.token, run_log(1, "well"), agent_alive=False, touched=one is claims[0])
        for one in claims
    ]
    await task.settle(results)
    return task


class Rollback:
    async def test_what_was_done_waits_to_be_undone_and_no_run_counts(self, record: Record) -> None:
        task = await failed_task(record)
        assert await task.roll_back(at=NOW + 5) == CourseChanged(STOP, backwards=True)
        turned = await task.head()
        assert (turned.status, turned.operation) == (TaskStatus.RUNNING, Operation.ROLLBACK)
        assert (turned.rollback_step, turned.current_step, turned.is_rollback) == (STOP, STOP, True)
        done, ready = (Status.SUCCESSFUL, Operation.ROLLBACK, 1), (Status.READY, Operation.ROLLBACK, 1)
        pending = (Status.PENDING, Operation.EXECUTE, 1)
        assert await task.list_statuses() == [done] * 4 + [ready] * 3 + [pending] * 4
        assert (await task.raw_events())[-1] == {
            "at": str(NOW + 5),
            "step": str(STOP),
            "Y": "5",
            "task": "RUNNING",
            "back": str(STOP),
        }

    async def test_a_task_goes_back_step_by_step_until_all_is_pending(self, record: Record) -> None:
        task = await failed_task(record)
        await task.roll_back()
        for step, opened in ((STOP, FIRST_WAIT), (FIRST_WAIT, PREPARE), (PREPARE, None)):
            for other in {PREPARE, FIRST_WAIT, STOP, SECOND_WAIT} - {step}:
                early = await task.ask(other, CHUNK)
                assert (early.verdict, early.granted) == (ClaimVerdict.EARLY, ())
            claims = await task.claim(step)
            assert {claim.operation for claim in claims} == {Operation.ROLLBACK}
            assert (await task.undo(claims, at=NOW + 9)).opened == opened
        ended = await task.head()
        assert (ended.status, ended.operation, ended.finished) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK, NOW + 9)
        assert {status for status, _, _ in await task.list_statuses()} == {Status.PENDING}
        assert [log.lines[0].text for log in await task.logs(5)] == ["badly", "undone"]
        refused = CourseRefused(TaskStatus.SUCCESSFUL)
        assert await task.roll_back() == refused
        assert await task.retry() == refused

    async def test_a_claim_says_what_earlier_runs_may_have_done(self, record: Record) -> None:
        task = await failed_task(record)
        await task.roll_back()
        claims = await task.claim_hosts(STOP)
        assert [claim.touched for claim in claims] == [True, True, False]
        stored = await task.subtasks()
        assert [stored[one.series_id].agent_alive for one in claims] == [False, None, False]

    async def test_what_undoes_can_only_be_recorded_of_a_run_that_was_there_for_it(self, record: Record) -> None:
        task = await record.accept((1,))
        (claim,) = await task.claim(PREPARE)
        assert (await task.undo([claim])).stale == (0,)
        await task.fail([claim])
        await task.roll_back()
        (claim,) = await task.claim(PREPARE)
        assert (await task.succeed([claim])).stale == (0,)
        assert (await task.undo([claim])).task_status is TaskStatus.SUCCESSFUL

    async def test_a_failed_rollback_is_continued_by_a_retry_or_by_another_rollback(self, record: Record) -> None:
        task = await failed_task(record)
        await task.roll_back()
        for run_time, go_on in ((1, task.retry), (2, task.roll_back), (3, None)):
            claims = await task.claim(STOP)
            assert {claim.operation for claim in claims} == {Operation.ROLLBACK}
            bad = next(claim for claim in claims if claim.series_id == 5)
            assert bad.run_time == run_time
            good = [claim for claim in claims if claim is not bad]
            result = make_failures([bad]) if go_on else make_undos([bad])
            settlement = await task.settle([*make_undos(good), *result], step=STOP)
            now = await task.head()
            assert now.operation is Operation.ROLLBACK
            if go_on:
                assert (settlement.opened, now.status) == (None, TaskStatus.FAILED)
                assert await go_on() == CourseChanged(STOP, backwards=True)
            else:
                assert settlement.opened == FIRST_WAIT
        assert len(await task.logs(5)) == 4

    async def test_a_skip_on_the_way_back_leaves_the_subtask_pending(self, record: Record) -> None:
        task = await failed_task(record)
        await task.roll_back()
        first, second, third = await task.claim(STOP)
        await task.settle([*make_undos([first, third]), *make_failures([second])])
        assert await task.skip(5) == CourseChanged(STOP, backwards=True)
        (claim,) = await task.claim(STOP)
        assert (claim.operation, claim.run_time) == (Operation.ROLLBACK_SKIP, 1)
        assert (await task.undo([claim])).opened == FIRST_WAIT
        assert (await task.list_statuses())[5] == (Status.PENDING, Operation.ROLLBACK_SKIP, 1)
        assert len(await task.logs(5)) == 3

    async def test_a_rollback_can_be_cancelled_and_taken_up_again(self, record: Record) -> None:
        task = await failed_task(record)
        await task.roll_back()
        await task.undo(await task.claim(STOP, 1))
        assert await task.cancel() is True
        now = await task.head()
        assert (now.status, now.operation) == (TaskStatus.FAILED, Operation.ROLLBACK)
        assert sum(status is Status.FAILED for status, _, _ in await task.list_statuses()) == 2
        assert await task.retry() == CourseChanged(STOP, backwards=True)
        assert (await task.undo(await task.claim(STOP))).opened == FIRST_WAIT

    async def test_only_what_failed_can_be_rolled_back(self, record: Record) -> None:
        task = await record.accept()
        assert await task.roll_back() == CourseRefused(TaskStatus.RUNNING)
        for step in range(5):
            await task.pass_step(step)
        assert await task.roll_back() == CourseRefused(TaskStatus.SUCCESSFUL)

    async def test_many_hosts_turn_round_and_go_back(self, record: Record) -> None:
        size = 3 * CHUNK + 7
        task = await record.accept(range(1, size + 1))
        await task.pass_steps_before(STOP)
        claims = await task.claim(STOP)
        bad = set(range(2, size, 3)) | set(range(2 * CHUNK, size))
        results = make_successes(claims)
        for index in bad:
            results[index : index + 1] = make_failures([claims[index]])
        await task.settle(results)
        assert await task.roll_back() == CourseChanged(STOP, backwards=True)
        seen: list[int] = []
        while granted := await task.claim(STOP, 64):
            seen += [claim.series_id for claim in granted]
            settlement = await task.undo(granted)
        assert sorted(seen) == list(task.plan.steps[STOP].series)
        assert settlement.opened == FIRST_WAIT

    async def test_a_stale_claim_takes_nothing_again(self, record: Record) -> None:
        await record.import_hosts(1)
        task = await record.accept((1,))
        (claim,) = await task.claim_hosts(PREPARE)
        await task.take([claim])
        await task.give_back([claim], STOPPED)
        assert await task.retake([replace(claim, token=77)]) == (GivenAway(1),)
        assert (await record.host(1)).holder is None

    async def test_hosts_that_were_given_back_are_taken_again_and_then_restored(self, record: Record) -> None:
        await record.import_hosts(1, 2, 3, 4)
        task = await record.accept((1, 2, 3, 4))
        claims = await task.claim(PREPARE)
        await task.take(claims)
        await task.give_back(claims[:3], STOPPED)
        other = await record.accept((2, 3))
        theirs = await other.claim(PREPARE)
        await other.take(theirs)
        await other.give_back(theirs[1:], RUNNING)
        assert await task.retake(claims) == (Taken(), HeldByOther(2, other.id), GivenAway(3), Taken())
        assert await task.give_back(claims) == (1, 4)
        hosts = await record.hosts.get((1, 3, 4))
        assert {(host.status, host.agent_status, host.holder) for host in hosts.values()} == {
            (HostStatus.ONLINE, AgentStatus.AVAILABLE, None)
        }

    async def test_a_host_is_released_only_where_nobody_works_on_it(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task = await record.accept((1, 2))
        claims = await task.claim(PREPARE)
        await task.take(claims)
        host = await record.host(1)
        release = record.tasks.release_host
        assert await release(host, task.accepted, 0, NOW, None) is Release.BUSY
        await task.fail(claims)
        later = await task.head()
        assert await release(host, later, 0, NOW + 3, STOPPED) is Release.FREED
        assert await release(host, later, 0, NOW + 4, STOPPED) is Release.MOVED
        other = await record.host(2)
        assert await release(other, later, 1, NOW + 5, None) is Release.FREED
        assert await task.is_expiring(), "a task that is over and holds nothing goes"
        hosts = await record.hosts.get((1, 2))
        assert [(one.status, one.agent_status, one.holder) for one in hosts.values()] == [
            (HostStatus.OFFLINE, AgentStatus.OFFLINE, None),
            (HostStatus.ONLINE, AgentStatus.AVAILABLE, None),
        ]
