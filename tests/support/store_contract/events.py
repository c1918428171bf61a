"""The streams of tasks: what each event says, and how callers wait for the next one."""

import asyncio
import time

from core.event import NO_EVENT, TaskEvent, parse_cursor
from core.status import Status, TaskStatus
from tests.support.records import NOW, PREPARE
from tests.support.scenario import Record


class Events:
    async def test_events_say_what_changed(self, record: Record) -> None:
        task = await record.accept(range(1, 4))
        claims = await task.claim(PREPARE)
        await task.fail(claims[:1], at=NOW + 5)
        await task.fail(claims[1:], at=NOW + 6)
        events = await task.events()
        assert [parse_cursor(event.id) for event in events] == sorted({parse_cursor(event.id) for event in events})
        nothing: dict[Status, tuple[tuple[int, int], ...]] = {}
        ids = [event.id for event in events]
        assert list(events) == [
            TaskEvent(ids[0], NOW, None, nothing, 0, TaskStatus.RUNNING),
            TaskEvent(ids[1], NOW, 0, {Status.RUNNING: ((0, 2),)}),
            TaskEvent(ids[2], NOW + 5, 0, {Status.FAILED: ((0, 0),)}),
            TaskEvent(ids[3], NOW + 6, 0, {Status.FAILED: ((1, 2),)}, None, TaskStatus.FAILED),
        ]
        assert (await task.head()).changes == len(events)
        assert await record.tasks.events(task.id + 1) == ()

    async def test_what_happened_after_a_cursor_comes_at_once(self, record: Record) -> None:
        task, other = [await record.accept((1,)) for _ in range(2)]
        await task.pass_step(PREPARE)
        events = await task.events()
        found = await record.tasks.follow({task.id: events[0].id, other.id: NO_EVENT}, 0.2)
        assert found == {task.id: events[1:], other.id: await other.events()}

    async def test_a_wait_ends_when_something_happens_and_when_its_time_is_over(self, record: Record) -> None:
        task = await record.accept((1,))
        (first,) = await task.events()
        began = time.monotonic()
        assert await record.tasks.follow({task.id: first.id, 99: NO_EVENT}, 0.1) == {}
        assert time.monotonic() - began > 0.05
        waiting = asyncio.create_task(record.tasks.follow({task.id: first.id}, 3))
        await asyncio.sleep(0.05)
        await task.claim(PREPARE, 1)
        found = await waiting
        assert [event.changed for event in found[task.id]] == [{Status.RUNNING: ((0, 0),)}]

    async def test_a_cancelled_wait_does_not_disturb_the_next_one(self, record: Record) -> None:
        task = await record.accept((1,))
        (first,) = await task.events()
        waiting = asyncio.create_task(record.tasks.follow({task.id: first.id}, 3))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await record.tasks.follow({task.id: NO_EVENT}, 0.1) == {task.id: (first,)}
