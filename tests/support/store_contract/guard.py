"""Marks and counters that lapse."""

import asyncio

from infra.store.values import LapsingCounter
from tests.support.scenario import Record
from tests.support.waiting import eventually

NOTHING = LapsingCounter(0, 0)


class Guard:
    async def test_of_many_who_mark_at_once_one_is_first(self, record: Record) -> None:
        firsts = await asyncio.gather(*(record.guard.mark("m", 60_000) for _ in range(20)))
        assert firsts.count(True) == 1
        assert await record.guard.mark("other", 60_000)

    async def test_a_mark_lapses(self, record: Record) -> None:
        assert await record.guard.mark("m", 50)

        async def free_again() -> bool:
            return await record.guard.mark("m", 60_000)

        await eventually(free_again, 10, "the mark has lapsed")

    async def test_counters_count_lapse_and_are_forgotten(self, record: Record) -> None:
        assert await record.guard.count(("a", "b"), 60_000) == (1, 1)
        assert await record.guard.count(("a",), 30_000) == (2,)
        a, b, c = await record.guard.read_counters(("a", "b", "c"))
        assert (a.count, b.count, c) == (2, 1, NOTHING)
        assert 0 < a.left <= 30_000
        assert 50_000 < b.left <= 60_000
        assert await record.guard.count(("a",), 20) == (3,)

        async def lapsed() -> bool:
            return await record.guard.read_counters(("a",)) == (NOTHING,)

        await eventually(lapsed, 10, "the counter has lapsed")
        assert await record.guard.count(("a",), 60_000) == (1,)
        await record.guard.clear("b")
        await record.guard.clear("b")
        assert await record.guard.read_counters(("b",)) == (NOTHING,)

    async def test_marks_and_counters_do_not_meet(self, record: Record) -> None:
        await record.guard.count(("x",), 60_000)
        assert await record.guard.mark("x", 60_000)
        assert (await record.guard.read_counters(("x",)))[0].count == 1
