"""Workers are lost, and what they had claimed is taken from them."""

from core.claim import Reopened, Worker, require_host_claims
from core.status import Operation, Status, TaskStatus
from infra.store import keys
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK, LOST, SUSPECT, TOO_MANY_LOSSES, StoreOptions
from tests.support.records import NOW, PREPARE, SECOND, STOP, make_successes, run_log
from tests.support.scenario import Record, Task

EPITAPH = run_log(1, "lost for good")


async def task_at_stop(record: Record, count: int) -> Task:
    task = await record.accept(range(1, count + 1))
    await task.pass_steps_before(STOP)
    return task


async def lose(record: Record, task: Task, worker: Worker) -> Reopened:
    """Take everything from a worker that is lost, and the worker out of the record."""
    found = await record.workers.claims(worker)
    answer = await task.reopen(worker, found, lost=EPITAPH, at=NOW + 9)
    assert await record.workers.bury(worker)
    return answer


async def make_suspects(record: Record, task: Task, count: int) -> None:
    """Have as many workers die at the first few hosts of a task as make them suspects."""
    for number in range(SUSPECT):
        victim = await record.workers.enrol(f"victim-{number}")
        await task.claim(STOP, count, worker=victim)
        await lose(record, task, victim)


class LostWorkers:
    async def test_claims_that_are_taken_away_are_ready_again_as_the_same_run(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await task_at_stop(record, 3)
        claims = await task.claim(STOP, 2, worker=worker)
        assert set(await record.workers.claims(worker)) == {claim.key for claim in claims}
        assert await lose(record, task, worker) == Reopened(ready=2)
        assert await record.workers.claims(worker) == ()
        for claim in claims:
            reopened = await task.subtask(claim.series_id)
            assert (reopened.status, reopened.run_time, reopened.token) == (Status.READY, 1, None)
            assert reopened.touched, "nobody knows what the lost run did"
        assert (await task.succeed(claims)).stale == (4, 5)
        again = await task.claim(STOP, worker=SECOND)
        assert {(claim.operation, claim.run_time) for claim in again} == {(Operation.EXECUTE, 1)}
        assert (await task.succeed(again)).opened == STOP + 1

    async def test_claims_of_a_task_that_is_gone_or_newer_are_forgotten_and_nothing_else(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        gone, newer = await record.accept((1,)), await record.accept((2,))
        for task in (gone, newer):
            await task.claim(PREPARE, worker=worker)
        await newer.make_newer()
        async for key in record.client.scan_iter(f"{keys.task(gone.id)}*"):
            await record.client.delete(key)
        for claim in await record.workers.claims(worker):
            task = gone if claim.task_id == gone.id else newer
            assert await task.reopen(worker, [claim], lost=EPITAPH) == Reopened()
        assert await record.workers.claims(worker) == ()
        assert (await newer.subtask(0)).status is Status.RUNNING

    async def test_a_run_that_another_worker_has_by_now_goes_on(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await task_at_stop(record, 1)
        (lost,) = await task.claim(STOP, worker=worker)
        await task.reopen(worker, [lost.key], lost=None)
        (held,) = await task.claim(STOP, worker=SECOND)
        await record.client.hset(keys.claims(worker.id), f"{task.id}:{lost.series_id}", lost.token)
        assert await task.reopen(worker, [lost.key], lost=EPITAPH) == Reopened()
        assert await record.workers.claims(worker) == ()
        assert await task.stands(held)

    async def test_a_run_outside_the_step_that_a_task_is_at_stays_as_it_is(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await record.accept((1,))
        (claim,) = await task.claim(PREPARE, worker=worker)
        await record.client.hset(keys.task(task.id), "opened", 1)  # which no call does while a run goes on
        assert await task.reopen(worker, [claim.key], lost=EPITAPH) == Reopened()
        assert (await task.subtask(0)).status is Status.RUNNING

    async def test_a_worker_that_has_beaten_since_it_was_looked_at_is_not_lost(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await task_at_stop(record, 1)
        seen = (await record.workers.beats())[worker]
        await record.beat(worker)
        assert not await record.workers.condemn(worker, seen)
        assert (await record.beat(worker)).known
        assert len(await task.claim(STOP, 1, worker=worker)) == 1

    async def test_a_lost_worker_learns_of_it_before_anything_is_taken_from_it(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await task_at_stop(record, 2)
        (claim,) = await task.claim(STOP, 1, worker=worker)
        assert await record.workers.condemn(worker, 1)
        assert (await record.workers.beats())[worker] == LOST
        assert not (await record.beat(worker)).known
        assert worker not in await record.workers.alive()
        assert await task.claim(STOP, 1, worker=worker) == ()
        assert await record.workers.claims(worker) == (claim.key,), "which is still to be opened"
        assert await record.workers.condemn(worker, LOST), "by whoever goes on with it"
        assert await lose(record, task, worker) == Reopened(ready=1)
        assert not await record.workers.condemn(worker, LOST), "it is gone"
        assert worker not in await record.workers.beats()

    async def test_a_worker_that_was_buried_is_given_nothing_more(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await task_at_stop(record, 2)
        assert await record.workers.bury(worker)
        assert await task.claim(STOP, 2, worker=worker) == ()
        assert await record.workers.claims(worker) == ()
        again = await record.workers.enrol("worker-1")
        assert len(await task.claim(STOP, 2, worker=again)) == 2

    async def test_only_what_the_worker_still_has_is_taken(self, record: Record) -> None:
        worker, other = await record.workers.enrol("worker-1"), await record.workers.enrol("worker-2")
        task = await task_at_stop(record, 2)
        first, second = await task.claim(STOP, 2, worker=worker)
        await task.succeed([first], worker=worker)
        keys = [first.key, second.key]
        assert await task.reopen(other, keys, lost=EPITAPH) == Reopened()
        assert await task.reopen(worker, keys, lost=None) == Reopened(ready=1)
        assert await task.reopen(worker, keys, lost=EPITAPH) == Reopened()

    async def test_a_run_that_ended_is_not_opened_again_by_a_claim_that_is_left_of_it(self, record: Record) -> None:
        worker, other = await record.workers.enrol("worker-1"), await record.workers.enrol("worker-2")
        task = await task_at_stop(record, 2)
        (claim,) = await task.claim(STOP, 1, worker=worker)
        await task.succeed([claim], worker=other)
        assert await record.workers.claims(worker) == (claim.key,), "the other one could not give it up"
        assert await task.reopen(worker, [claim.key], lost=EPITAPH) == Reopened()
        assert (await task.subtask(claim.series_id)).status is Status.SUCCESSFUL
        assert await record.workers.claims(worker) == ()

    async def test_a_worker_has_one_suspect_at_a_time(self, record: Record) -> None:
        task = await task_at_stop(record, 4)
        await make_suspects(record, task, 3)
        one, other = await record.workers.enrol("one"), await record.workers.enrol("other")
        mine = await task.ask(STOP, CHUNK, worker=one)
        assert [claim.series_id for claim in mine.granted] == [5, 8], "a suspect, and one that nothing happened to"
        assert [claim.suspect for claim in require_host_claims(mine.granted)] == [True, False]
        assert mine.withheld
        more = await task.ask(STOP, CHUNK, worker=one)
        assert (more.granted, more.withheld) == ((), True)
        theirs = await task.ask(STOP, CHUNK, worker=other)
        assert [claim.series_id for claim in theirs.granted] == [6]
        assert theirs.withheld
        _, following = await task.advance(STOP, make_successes(mine.granted[:1]), ClaimRequest(CHUNK), worker=one)
        assert [(one.series_id, one.suspect) for one in require_host_claims(following.granted)] == [(7, True)]
        assert not following.withheld, "none is left"
        _, none = await task.advance(STOP, make_successes(theirs.granted), ClaimRequest(CHUNK), worker=other)
        assert (none.granted, none.withheld) == ((), False)

    async def test_suspects_are_withheld_only_where_there_was_room_for_them(self, record: Record) -> None:
        task = await task_at_stop(record, 4)
        await make_suspects(record, task, 2)
        worker = await record.workers.enrol("one")
        one = await task.ask(STOP, 1, worker=worker)
        assert [claim.series_id for claim in one.granted] == [5]
        assert not one.withheld, "it had no room for another"
        _, settled = await task.advance(STOP, make_successes(one.granted), worker=worker)
        assert not settled.withheld, "it asked for none"
        two = await task.claim_hosts(STOP, 2, worker=worker)
        assert [(claim.series_id, claim.suspect) for claim in two] == [(6, True), (7, False)]

    async def test_too_many_losses_fail_a_subtask_and_a_retry_begins_anew(self, record: Record) -> None:
        task = await task_at_stop(record, 1)
        for number in range(TOO_MANY_LOSSES):
            assert (await task.head()).status is TaskStatus.RUNNING
            victim = await record.workers.enrol(f"victim-{number}")
            assert len(await task.claim(STOP, 1, worker=victim)) == 1
            failed = number == TOO_MANY_LOSSES - 1
            assert await lose(record, task, victim) == Reopened(ready=not failed, failed=failed)
        assert (await task.head()).status is TaskStatus.FAILED
        series_id = task.plan.steps[STOP].first
        assert [log.lines[0].text for log in await task.logs(series_id)] == ["lost for good"]

    async def test_what_was_being_cancelled_is_cancelled(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await task_at_stop(record, 2)
        first, _ = await task.claim(STOP, 2, worker=worker)
        assert await task.cancel(first.series_id) is True
        assert await lose(record, task, worker) == Reopened(ready=1, failed=1)
        abandoned = await task.subtask(first.series_id)
        assert (abandoned.status, abandoned.operation) == (Status.FAILED, Operation.CANCEL)

    async def test_counters_rise_and_one_worker_leads(self, record: Record) -> None:
        one, other = await record.workers.enrol("one"), await record.workers.enrol("other")
        await record.beat(one)
        await record.beat(one)
        assert await record.workers.beats() == {one: 2, other: 0}
        assert await record.workers.lead(one, 60_000)
        assert await record.workers.lead(one, 60_000)
        assert not await record.workers.lead(other, 60_000)

    async def test_a_leader_that_is_lost_or_gone_is_not_waited_for(self, record: Record) -> None:
        one, other = await record.workers.enrol("one"), await record.workers.enrol("other")
        assert await record.workers.lead(one, 3_600_000)
        assert not await record.workers.lead(other, 3_600_000, lost=(other,))
        assert await record.workers.lead(other, 3_600_000, lost=(one,))
        assert not await record.workers.lead(one, 3_600_000)
        await record.workers.leave(other)
        assert await record.workers.lead(one, 3_600_000)

    async def test_a_worker_with_claims_left_is_not_buried_and_loses_none_of_them(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await task_at_stop(record, 3)
        await task.claim(STOP, 1, worker=worker)
        read = await record.workers.claims(worker)
        await task.claim(STOP, 1, worker=worker)  # granted between the reading and the burial
        assert await task.reopen(worker, read, lost=EPITAPH) == Reopened(ready=1)
        assert not await record.workers.bury(worker)
        assert worker in await record.workers.beats()
        assert (await record.beat(worker)).known
        (left,) = await record.workers.claims(worker)
        assert left not in read
        assert await lose(record, task, worker) == Reopened(ready=1)
        assert worker not in await record.workers.beats()
        assert len(await task.claim(STOP, worker=SECOND)) == 3, "none is lost for ever"
        assert await record.workers.bury(worker), "which is no harm"

    async def test_claims_of_a_task_that_is_gone_keep_no_worker_from_its_grave(self, record: Record) -> None:
        record.configure(StoreOptions(keep_tasks=1, keep_events=1))
        worker = await record.workers.enrol("worker-1")
        task = await record.accept((1,))
        claims = await task.claim(PREPARE, worker=worker)
        await task.fail(claims, worker=SECOND)
        await task.wait_until_gone()
        assert await record.workers.claims(worker) == (claims[0].key,)
        assert await record.workers.bury(worker)
        assert await record.workers.claims(worker) == ()
        assert worker not in await record.workers.beats()

    async def test_of_each_version_of_the_code_one_worker_leads(self, record: Record) -> None:
        older, newer, newest = [await record.workers.enrol(name) for name in ("older", "newer", "newest")]
        assert await record.workers.lead(older, 60_000, version=7)
        assert await record.workers.lead(newer, 60_000, version=8)
        assert not await record.workers.lead(newest, 60_000, version=8)
        assert await record.workers.lead(older, 60_000, version=7)

    async def test_a_worker_with_claims_left_does_not_leave(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await task_at_stop(record, 1)
        await task.claim(STOP, 1, worker=worker)
        await record.workers.leave(worker)
        assert worker in await record.workers.beats()
        await lose(record, task, worker)
        assert worker not in await record.workers.beats()
