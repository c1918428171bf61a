"""Workers are lost, and what they had claimed is taken from them."""

from core.claim import Reopened, Worker
from core.record import TaskRecord
from core.status import Operation, Status, TaskStatus
from infra.store.base import CHUNK, LOST, SUSPECT, TOO_MANY_LOSSES, Store, StoreOptions
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND,
    STOP,
    advance,
    claim_step,
    draft,
    failed,
    head,
    pass_step,
    run_log,
    settle,
    succeeded,
)
from tests.support.waiting import eventually

EPITAPH = run_log(1, "lost for good")


async def at_stop(store: Store, count: int) -> TaskRecord:
    task = await store.tasks.create(draft(range(1, count + 1)))
    await pass_step(store, task, PREPARE)
    await pass_step(store, task, FIRST_WAIT)
    return task


async def lose(store: Store, task: TaskRecord, worker: Worker) -> Reopened:
    """Take everything from a worker that is lost, and the worker out of the record."""
    found = await store.workers.claims(worker)
    answer = await store.tasks.reopen(task, worker, found, NOW + 9, lost=EPITAPH)
    assert await store.workers.bury(worker)
    return answer


async def make_suspects(store: Store, task: TaskRecord, count: int) -> None:
    """Have as many workers die at the first few hosts of a task as make them suspects."""
    for number in range(SUSPECT):
        victim = await store.workers.enrol(f"victim-{number}")
        await advance(store, task, STOP, claim=count, worker=victim)
        await lose(store, task, victim)


class LostWorkers:
    async def test_claims_that_are_taken_away_are_ready_again_as_the_same_run(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        task = await at_stop(store, 3)
        _, answer = await advance(store, task, STOP, claim=2, worker=worker)
        assert set(await store.workers.claims(worker)) == {claim.key for claim in answer.granted}
        assert await lose(store, task, worker) == Reopened(ready=2)
        assert await store.workers.claims(worker) == ()
        for claim in answer.granted:
            record = await store.tasks.subtask(task, claim.series_id)
            assert record is not None
            assert (record.status, record.run_time, record.token) == (Status.READY, 1, None)
            assert record.touched, "nobody knows what the lost run did"
        assert (await settle(store, task, STOP, succeeded(answer.granted))).stale == (4, 5)
        again = await claim_step(store, task, STOP, worker=SECOND)
        assert {(claim.operation, claim.run_time) for claim in again} == {(Operation.EXECUTE, 1)}
        assert (await settle(store, task, STOP, succeeded(again))).opened == STOP + 1

    async def test_a_worker_that_has_beaten_since_it_was_looked_at_is_not_lost(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        task = await at_stop(store, 1)
        seen = (await store.workers.beats())[worker]
        await store.workers.beat(worker, 60_000)
        assert not await store.workers.condemn(worker, seen)
        assert (await store.workers.beat(worker, 60_000)).known
        _, answer = await advance(store, task, STOP, claim=1, worker=worker)
        assert len(answer.granted) == 1

    async def test_a_lost_worker_learns_of_it_before_anything_is_taken_from_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, 60_000)
        task = await at_stop(store, 2)
        _, answer = await advance(store, task, STOP, claim=1, worker=worker)
        assert await store.workers.condemn(worker, 1)
        assert (await store.workers.beats())[worker] == LOST
        assert not (await store.workers.beat(worker, 60_000)).known
        assert worker not in await store.workers.alive()
        _, more = await advance(store, task, STOP, claim=1, worker=worker)
        assert more.granted == ()
        assert await store.workers.claims(worker) == (answer.granted[0].key,), "which is still to be opened"
        assert await store.workers.condemn(worker, LOST), "by whoever goes on with it"
        assert await lose(store, task, worker) == Reopened(ready=1)
        assert not await store.workers.condemn(worker, LOST), "it is gone"
        assert worker not in await store.workers.beats()

    async def test_a_worker_that_was_buried_is_given_nothing_more(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        task = await at_stop(store, 2)
        assert await store.workers.bury(worker)
        _, answer = await advance(store, task, STOP, claim=2, worker=worker)
        assert answer.granted == ()
        assert await store.workers.claims(worker) == ()
        again = await store.workers.enrol("worker-1")
        _, answer = await advance(store, task, STOP, claim=2, worker=again)
        assert len(answer.granted) == 2

    async def test_only_what_the_worker_still_has_is_taken(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker, other = await store.workers.enrol("worker-1"), await store.workers.enrol("worker-2")
        task = await at_stop(store, 2)
        _, answer = await advance(store, task, STOP, claim=2, worker=worker)
        first, second = answer.granted
        await advance(store, task, STOP, succeeded([first]), worker=worker)
        keys = [first.key, second.key]
        assert await store.tasks.reopen(task, other, keys, NOW, lost=EPITAPH) == Reopened()
        assert await store.tasks.reopen(task, worker, keys, NOW, lost=None) == Reopened(ready=1)
        assert await store.tasks.reopen(task, worker, keys, NOW, lost=EPITAPH) == Reopened()

    async def test_a_worker_has_one_suspect_at_a_time(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store, 4)
        await make_suspects(store, task, 3)
        one, other = await store.workers.enrol("one"), await store.workers.enrol("other")
        _, answer = await advance(store, task, STOP, claim=CHUNK, worker=one)
        assert [claim.series_id for claim in answer.granted] == [5, 8], "a suspect, and one that nothing happened to"
        assert [claim.suspect for claim in answer.granted] == [True, False]
        assert answer.withheld
        _, more = await advance(store, task, STOP, claim=CHUNK, worker=one)
        assert (more.granted, more.withheld) == ((), True)
        _, theirs = await advance(store, task, STOP, claim=CHUNK, worker=other)
        assert [claim.series_id for claim in theirs.granted] == [6]
        assert theirs.withheld
        _, next_one = await advance(store, task, STOP, succeeded([answer.granted[0]]), claim=CHUNK, worker=one)
        assert [(claim.series_id, claim.suspect) for claim in next_one.granted] == [(7, True)]
        assert not next_one.withheld, "none is left"
        _, none = await advance(store, task, STOP, succeeded(theirs.granted), claim=CHUNK, worker=other)
        assert (none.granted, none.withheld) == ((), False)

    async def test_suspects_are_withheld_only_where_there_was_room_for_them(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store, 4)
        await make_suspects(store, task, 2)
        worker = await store.workers.enrol("one")
        _, one = await advance(store, task, STOP, claim=1, worker=worker)
        assert [claim.series_id for claim in one.granted] == [5]
        assert not one.withheld, "it had no room for another"
        _, settled = await advance(store, task, STOP, succeeded(one.granted), worker=worker)
        assert not settled.withheld, "it asked for none"
        _, two = await advance(store, task, STOP, claim=2, worker=worker)
        assert [(claim.series_id, claim.suspect) for claim in two.granted] == [(6, True), (7, False)]

    async def test_too_many_losses_fail_a_subtask_and_a_retry_begins_anew(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store, 1)
        for number in range(TOO_MANY_LOSSES):
            assert (await head(store, task)).status is TaskStatus.RUNNING
            victim = await store.workers.enrol(f"victim-{number}")
            _, answer = await advance(store, task, STOP, claim=1, worker=victim)
            assert len(answer.granted) == 1
            failed = number == TOO_MANY_LOSSES - 1
            assert await lose(store, task, victim) == Reopened(ready=not failed, failed=failed)
        assert (await head(store, task)).status is TaskStatus.FAILED
        series_id = task.plan.steps[STOP].first
        assert [log.lines[0].text for log in await store.tasks.logs(task, series_id)] == ["lost for good"]

    async def test_what_was_being_cancelled_is_cancelled(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, 60_000)
        task = await at_stop(store, 2)
        first, _ = (await advance(store, task, STOP, claim=2, worker=worker))[1].granted
        assert await store.tasks.cancel(task, NOW, first.series_id) is True
        assert await lose(store, task, worker) == Reopened(ready=1, failed=1)
        record = await store.tasks.subtask(task, first.series_id)
        assert record is not None
        assert (record.status, record.operation) == (Status.FAILED, Operation.CANCEL)

    async def test_counters_rise_and_one_worker_leads(self, keeper: Keeper) -> None:
        store = keeper.open()
        one, other = await store.workers.enrol("one"), await store.workers.enrol("other")
        await store.workers.beat(one, 60_000)
        await store.workers.beat(one, 60_000)
        assert await store.workers.beats() == {one: 2, other: 0}
        assert await store.workers.lead(one, 60_000)
        assert await store.workers.lead(one, 60_000)
        assert not await store.workers.lead(other, 60_000)

    async def test_a_leader_that_is_lost_or_gone_is_not_waited_for(self, keeper: Keeper) -> None:
        store = keeper.open()
        one, other = await store.workers.enrol("one"), await store.workers.enrol("other")
        assert await store.workers.lead(one, 3_600_000)
        assert not await store.workers.lead(other, 3_600_000, lost=(other,))
        assert await store.workers.lead(other, 3_600_000, lost=(one,))
        assert not await store.workers.lead(one, 3_600_000)
        await store.workers.leave(other)
        assert await store.workers.lead(one, 3_600_000)

    async def test_a_worker_with_claims_left_is_not_buried_and_loses_none_of_them(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, 60_000)
        task = await at_stop(store, 3)
        await advance(store, task, STOP, claim=1, worker=worker)
        read = await store.workers.claims(worker)
        await advance(store, task, STOP, claim=1, worker=worker)  # granted between the reading and the burial
        assert await store.tasks.reopen(task, worker, read, NOW, lost=EPITAPH) == Reopened(ready=1)
        assert not await store.workers.bury(worker)
        assert worker in await store.workers.beats()
        assert (await store.workers.beat(worker, 60_000)).known
        (left,) = await store.workers.claims(worker)
        assert left not in read
        assert await lose(store, task, worker) == Reopened(ready=1)
        assert worker not in await store.workers.beats()
        assert len(await claim_step(store, task, STOP, worker=SECOND)) == 3, "none is lost for ever"
        assert await store.workers.bury(worker), "which is no harm"

    async def test_claims_of_a_task_that_is_gone_keep_no_worker_from_its_grave(self, keeper: Keeper) -> None:
        store = keeper.open(StoreOptions(keep_tasks=1, keep_events=1))
        worker = await store.workers.enrol("worker-1")
        task = await store.tasks.create(draft((1,)))
        claims = await claim_step(store, task, PREPARE, worker=worker)
        results = failed(claims)
        await store.tasks.advance(task, task.plan.steps[PREPARE], SECOND, NOW, settled=results)

        async def gone() -> bool:
            return await store.tasks.head(task.id) is None

        await eventually(gone, 10, "the task to expire")
        assert await store.workers.claims(worker) == (claims[0].key,)
        assert await store.workers.bury(worker)
        assert await store.workers.claims(worker) == ()
        assert worker not in await store.workers.beats()

    async def test_of_each_version_of_the_code_one_worker_leads(self, keeper: Keeper) -> None:
        store = keeper.open()
        older, newer, newest = [await store.workers.enrol(name) for name in ("older", "newer", "newest")]
        assert await store.workers.lead(older, 60_000, version=7)
        assert await store.workers.lead(newer, 60_000, version=8)
        assert not await store.workers.lead(newest, 60_000, version=8)
        assert await store.workers.lead(older, 60_000, version=7)

    async def test_a_worker_with_claims_left_does_not_leave(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        task = await at_stop(store, 1)
        await advance(store, task, STOP, claim=1, worker=worker)
        await store.workers.leave(worker)
        assert worker in await store.workers.beats()
        await lose(store, task, worker)
        assert worker not in await store.workers.beats()
