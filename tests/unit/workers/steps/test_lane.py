from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from core.brake import Brake
from core.errors import StoreUnavailable
from core.status import Status
from tests.support.failing import FailingPart, FailingStore
from tests.support.waiting import eventually
from tests.support.work import GatedExecutor, make_prepared_task, make_work, run_lane
from workers.executor.base import Executor, HostSession
from workers.executor.slots import Slots
from workers.executor.stub.executor import StubExecutor
from workers.record.heartbeat import Heartbeat
from workers.steps.lane import compute_window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from core.host import Target
    from core.transition import Settled


@pytest.mark.parametrize(
    ("hosts", "lanes", "most", "expected"),
    [(1, 32, 64, 1), (8, 32, 64, 1), (100, 32, 64, 13), (1000, 32, 64, 63), (10_000, 32, 64, 64)],
)
def test_a_lane_works_on_its_share_of_the_hosts_at_a_time(hosts: int, lanes: int, most: int, expected: int) -> None:
    assert compute_window(hosts, lanes, most) == expected


async def test_a_wedged_host_does_not_hold_the_hosts_behind_it() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor, max_lanes=1, lane_window=2)
    task = await make_prepared_task(work, range(1, 21))

    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: len(executor.order) == 20, 5, "all hosts to be visited")
    assert executor.most == 2
    assert not running.done()
    executor.held[1].set()
    assert await running == (3, False)


async def test_all_lanes_together_stay_within_the_places_of_the_process() -> None:
    executor = GatedExecutor()
    work = await make_work(executor=executor, slots=Slots(3), max_lanes=4, lane_window=8)
    task = await make_prepared_task(work, range(1, 41))

    ends = await asyncio.gather(*(run_lane(work, task) for _ in range(4)))

    assert Counter(ends) == {(None, False): 3, (3, False): 1}
    assert executor.most <= 3
    assert sorted(executor.order) == list(range(1, 41))
    assert work.slots.take(10) == 3


async def test_a_host_over_its_time_limit_fails() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor, host_time_limit=0.05)
    task = await make_prepared_task(work, [1, 2])

    assert await run_lane(work, task) == (None, False)

    head = await work.store.tasks.head(task.id)
    assert head is not None
    stop = head.plan.steps[2]
    records = await work.store.tasks.subtasks(head)
    assert [records[series_id].status for series_id in stop.series] == [Status.FAILED, Status.SUCCESSFUL]
    log = (await work.store.tasks.logs(head, stop.first))[0]
    assert log.lines[-1].text.startswith("Timed out: 0.05 s ran out while working on host 1.")


async def test_a_bug_of_ours_is_recorded_and_stops_no_other_host() -> None:
    class BrokenExecutor(Executor):
        def __init__(self) -> None:
            self._stub = StubExecutor()

        @override
        def connect(self, target: Target) -> AbstractAsyncContextManager[HostSession]:
            if target.host_id == 1:
                raise ZeroDivisionError("our own fault")
            return self._stub.connect(target)

        @override
        async def aclose(self) -> None:
            await self._stub.aclose()

    work = await make_work(executor=BrokenExecutor())
    task = await make_prepared_task(work, [1, 2])

    assert await run_lane(work, task) == (None, False)

    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.counts[2, Status.FAILED] == 1
    log = (await work.store.tasks.logs(head, head.plan.steps[2].first))[0]
    assert "Internal error: ZeroDivisionError: our own fault" in log.lines[-1].text


async def test_a_store_that_is_away_fails_no_host_in_flight() -> None:
    store = FailingStore()
    work = await make_work(store)
    work = replace(work, heartbeat=Heartbeat(store, work.heartbeat.worker, every=0, alive_for=5))  # asks every time
    task = await make_prepared_task(work, [1, 2])
    store.broken_tasks = FailingPart(store.tasks, "stands")
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: store.broken_tasks.failures >= 2, 5, "both hosts to ask whether they may go on")

    store.broken_tasks = None

    assert await running == (3, False)
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.counts[2, Status.SUCCESSFUL] == 2


async def test_a_draining_worker_finishes_its_hosts_and_asks_for_another_lane() -> None:
    executor = GatedExecutor(held={host_id: asyncio.Event() for host_id in range(1, 9)})
    draining: list[int] = []
    work = await make_work(executor=executor, max_lanes=1, lane_window=2, is_draining=lambda: bool(draining))
    task = await make_prepared_task(work, range(1, 9))

    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 2, 5, "the first hosts to be in work")
    draining.append(1)
    for gate in executor.held.values():
        gate.set()

    assert await running == (None, True)
    assert executor.order == [1, 2]
    draining.clear()
    assert await run_lane(work, task) == (3, False)
    assert sorted(executor.order) == list(range(1, 9))


async def test_a_lane_that_waits_for_a_place_when_its_worker_drains_claims_nothing() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    draining: list[int] = []
    slots = Slots(1)
    work = await make_work(executor=executor, slots=slots, lane_window=1, is_draining=lambda: bool(draining))
    task = await make_prepared_task(work, range(1, 9))
    first, *waiting = [asyncio.create_task(run_lane(work, task)) for _ in range(4)]
    await eventually(lambda: executor.inside == 1, 5, "the first host to be in work")

    draining.append(1)
    executor.held[1].set()

    assert await asyncio.gather(first, *waiting) == [(None, True)] * 4
    assert executor.order == [1]
    assert slots.take(2) == 1


async def test_a_lost_answer_does_not_lose_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    work = await make_work(max_lanes=1, lane_window=1)
    task = await make_prepared_task(work, [1])
    advance, lost = work.store.tasks.advance, 0

    async def lose_two_answers(*words: Any, settled: Sequence[Settled] = (), **more: Any) -> Any:
        nonlocal lost
        answer = await advance(*words, settled=settled, **more)
        if settled and lost < 2:
            lost += 1
            raise StoreUnavailable("the answer was lost")
        return answer

    monkeypatch.setattr(work.store.tasks, "advance", lose_two_answers)

    assert await run_lane(work, task) == (3, False)
    assert lost == 2


async def test_under_the_brake_runs_end_and_lanes_claim_nothing() -> None:
    executor = GatedExecutor(held={1: asyncio.Event(), 2: asyncio.Event()})
    work = await make_work(executor=executor, max_lanes=1, lane_window=2)
    task = await make_prepared_task(work, range(1, 11))
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: len(executor.order) == 2, 5, "two hosts to be worked on")

    await work.store.brake.pull(Brake("admin", 0, "smoke in room 3"))
    executor.held[1].set()
    executor.held[2].set()
    assert await running == (None, False), "it ends with what ran, opens nothing and hands nothing over"
    assert await run_lane(work, task) == (None, False)
    assert sorted(executor.order) == [1, 2]
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert {status: count for (step, status), count in head.counts.items() if step == 2} == {Status.SUCCESSFUL: 2}

    await work.store.brake.release()
    assert await run_lane(work, task) == (3, False)
    assert sorted(executor.order) == list(range(1, 11))
