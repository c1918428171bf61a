"""A process works on one suspect at a time, and other hosts do not wait for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from core.claim import ClaimKey, HostClaim
from core.status import Operation, Status
from infra.store.task_values import ClaimRequest
from tests.support.failing import FailingStore
from tests.support.waiting import eventually
from tests.support.work import GatedExecutor, make_prepared_task, make_suspects, make_work, run_lane
from workers.record.suspect_slot import SuspectSlot

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import WorkerContext

STOP = 2


class Counting:
    """The tasks of a store. It counts how often a lane asked for work."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tasks, name)

    async def advance(self, *words: Any, claim: ClaimRequest | None = None, **more: Any) -> Any:
        self.asked += claim is not None
        return await self._tasks.advance(*words, claim=claim, **more)


async def count_stopped(work: WorkerContext, task: TaskRecord) -> int:
    head = await work.store.tasks.head(task.id)
    assert head is not None
    return head.counts.get((STOP, Status.SUCCESSFUL), 0)


async def test_one_worker_works_through_all_suspects_of_a_step() -> None:
    executor = GatedExecutor()
    work = await make_work(executor=executor, max_lanes=1, lane_window=8)
    task = await make_suspects(work, range(1, 31))

    assert await run_lane(work, task) == (3, False)

    assert executor.order == list(range(1, 31))
    assert executor.most == 1


async def test_one_lane_waits_for_the_next_suspect_and_the_others_end() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor)
    task = await make_suspects(work, range(1, 21))
    running = [asyncio.create_task(run_lane(work, task)) for _ in range(4)]

    await eventually(lambda: sum(one.done() for one in running) == 3, 5, "the lanes that have nothing to do to end")
    assert {one.result() for one in running if one.done()} == {(None, False)}, "and no message takes their place"
    executor.held[1].set()

    ends = await asyncio.gather(*running)
    assert Counter(ends) == {(None, False): 3, (3, False): 1}
    assert sorted(executor.order) == list(range(1, 21))
    assert executor.most == 1


async def test_suspects_of_two_tasks_share_the_slot_without_polling() -> None:
    store = FailingStore()
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(store, executor=executor)
    one, other = await make_suspects(work, range(1, 6)), await make_suspects(work, range(6, 11))
    store.broken_tasks = counting = Counting(store.tasks)
    first = asyncio.create_task(run_lane(work, one))
    await eventually(lambda: executor.inside == 1, 5, "the first suspect to be in work")
    second = asyncio.create_task(run_lane(work, other))
    await eventually(lambda: counting.asked == 2, 5, "the other task to ask")

    for _ in range(50):
        await asyncio.sleep(0)
    assert counting.asked == 2, "it waits, and asks nothing meanwhile"
    assert not second.done()
    executor.held[1].set()

    assert list(await asyncio.gather(first, second)) == [(3, False)] * 2
    assert executor.order == list(range(1, 11))
    assert executor.most == 1
    assert counting.asked <= 15, "no more than once a suspect, and once a lane to begin and to end"


async def test_neighbours_of_suspects_do_not_wait_for_them() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor, max_lanes=1, lane_window=4)
    suspects = await make_suspects(work, [1, 2, 3])
    others = await make_prepared_task(work, range(11, 31))
    running = asyncio.create_task(run_lane(work, suspects))
    await eventually(lambda: executor.inside == 1, 5, "a suspect to be in work")

    assert await run_lane(work, others) == (3, False)
    assert await count_stopped(work, suspects) == 0
    executor.held[1].set()
    assert await running == (3, False)


async def test_a_lane_with_a_wedged_host_takes_suspects_when_their_turn_comes() -> None:
    executor = GatedExecutor(held={1: asyncio.Event(), 9: asyncio.Event()})
    work = await make_work(executor=executor, max_lanes=1, lane_window=8)
    suspects = await make_suspects(work, [1])
    mixed = await make_suspects(work, range(2, 10), 2)
    first = asyncio.create_task(run_lane(work, suspects))
    await eventually(lambda: executor.inside == 1, 5, "the other task's suspect to be in work")
    second = asyncio.create_task(run_lane(work, mixed))
    await eventually(lambda: len(executor.order) == 7, 5, "all but the suspects to be worked on")

    executor.held[1].set()
    await eventually(lambda: {2, 3} <= set(executor.order), 5, "the suspects to be worked on beside the wedged host")
    assert executor.inside == 1
    executor.held[9].set()
    assert list(await asyncio.gather(first, second)) == [(3, False)] * 2


@pytest.mark.parametrize("given_up", [False, True])
async def test_a_draining_worker_leaves_the_suspects_that_wait_to_others(*, given_up: bool) -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    draining: list[int] = []
    work = await make_work(executor=executor, is_draining=lambda: bool(draining))
    one, other = await make_suspects(work, [1, 2]), await make_suspects(work, [3, 4])
    running = [asyncio.create_task(run_lane(work, task)) for task in (one, other)]
    await eventually(lambda: executor.inside == 1, 5, "a suspect to be in work")

    draining.append(1)
    if given_up:
        work.heartbeat.runs.hand_over_all()
    else:
        executor.held[1].set()

    assert list(await asyncio.gather(*running)) == [(None, True)] * 2, "both want a lane in their place"
    assert executor.order == [1]
    assert await count_stopped(work, one) == (0 if given_up else 1)
    executor.held[1].set()
    draining.clear()
    assert list(await asyncio.gather(run_lane(work, one), run_lane(work, other))) == [(3, False)] * 2


async def test_a_suspect_that_is_unknown_here_is_not_waited_for() -> None:
    executor = GatedExecutor()
    work = await make_work(executor=executor)
    task = await make_suspects(work, [1, 2, 3])
    worker = work.heartbeat.worker
    await work.store.tasks.advance(task, task.plan.steps[STOP], worker, work.clock(), claim=ClaimRequest(1))

    assert await run_lane(work, task) == (None, False), "the reconciler gives it back, and publishes the step"
    assert executor.order == []


def make_suspect_claim(series_id: int) -> HostClaim:
    return HostClaim(1, series_id, Operation.EXECUTE, 1, series_id + 10, series_id, None, held=True, suspect=True)


async def test_the_slot_wakes_those_who_wait_once_it_is_free() -> None:
    slot = SuspectSlot()
    assert slot.wait_for_turn((1, 2), 0) is None, "nobody is in it"
    slot.enter([make_suspect_claim(1)])
    turn = slot.wait_for_turn((1, 2), 0)
    assert turn is not None
    assert slot.wait_for_turn((1, 2), 0) is None, "another lane of the step waits already"
    other = slot.wait_for_turn((7, 2), 0)
    assert other is not None
    other.cancel()
    assert slot.wait_for_turn((7, 2), 0) is not None, "that one does not wait any more"
    more = [slot.wait_for_turn((task_id, 2), 0) for task_id in range(100, 120)]
    assert [one is not None for one in more] == [True] * 14 + [False] * 6, "a bounded number of lanes waits"

    slot.leave([ClaimKey(1, 9, 9)])
    slot.enter([make_suspect_claim(2)])
    slot.leave([make_suspect_claim(1).key])
    assert not turn.done(), "another suspect is in it"
    slot.leave([make_suspect_claim(2).key])
    assert turn.done()
    again = slot.wait_for_turn((1, 2), 0)
    assert again is not None
    assert again.done(), "it was free since the store was asked"
    assert slot.wait_for_turn((1, 2), slot.times_freed) is None
