"""The worker processes."""

from core.claim import Worker
from tests.support.fake_store import let_pass
from tests.support.scenario import Record
from tests.support.waiting import eventually

MARGIN = 10_000
"""Milliseconds that a test itself may take: real time passes for the store, too."""


class Workers:
    async def test_every_worker_that_starts_gets_a_number_of_its_own(self, record: Record) -> None:
        first, again = await record.workers.enrol("worker-1"), await record.workers.enrol("worker-1")
        assert (again.id, again.name) == (first.id + 1, first.name)

    async def test_a_worker_is_alive_once_it_beats_until_it_leaves(self, record: Record) -> None:
        first, second = await record.workers.enrol("worker-1"), await record.workers.enrol("worker-2")
        assert await record.workers.alive() == ()
        assert (await record.beat(second)).known
        assert (await record.beat(first)).known
        assert await record.workers.alive() == (first, second)
        await record.workers.leave(first)
        assert await record.workers.alive() == (second,)
        assert not (await record.beat(first)).known, "the record does not know it any more"
        assert await record.workers.alive() == (second,)

    async def test_a_worker_that_stops_beating_lapses_and_comes_back_with_a_beat(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        await record.workers.beat(worker, 60)

        async def lapsed() -> bool:
            return not await record.workers.alive()

        await eventually(lapsed, 10, "the worker does not count as alive any more")
        assert (await record.beat(worker)).known
        assert await record.workers.alive() == (worker,)

    async def test_a_worker_lapses(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        await record.workers.beat(worker, 2 * MARGIN)
        await let_pass(record, MARGIN)
        assert await record.workers.alive() == (worker,)
        await let_pass(record, MARGIN)
        assert await record.workers.alive() == ()
        assert not (await record.workers.beat(Worker(99, "stranger"), 15_000)).known

    async def test_a_store_that_is_there_answers(self, record: Record) -> None:
        await record.store.ping()
