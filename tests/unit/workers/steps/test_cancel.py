"""A worker abandons what was cancelled."""

from __future__ import annotations

import asyncio

from core.status import Operation, Status, TaskStatus
from tests.support.waiting import eventually
from tests.support.work import GatedExecutor, make_prepared_task, make_work, run_lane


async def test_a_cancelled_host_is_abandoned_and_the_others_finish() -> None:
    executor = GatedExecutor(held={2: asyncio.Event()})
    work = await make_work(executor=executor)
    await work.heartbeat.beat()
    task = await make_prepared_task(work, [1, 2, 3])
    stop = task.plan.steps[2]
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: 2 in executor.order and executor.inside == 1, 5, "only the wedged host to be in work")

    assert await work.store.tasks.cancel(task, work.clock(), stop.first + 1) is True
    await work.heartbeat.beat()

    assert await running == (None, False)
    assert executor.inside == 0
    record = await work.store.tasks.subtask(task, stop.first + 1)
    assert record is not None
    assert (record.status, record.operation) == (Status.FAILED, Operation.CANCEL)
    log = (await work.store.tasks.logs(task, stop.first + 1))[0]
    assert log.lines[-1].text.startswith("Cancelled: the work on this host was abandoned.")
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.status is TaskStatus.FAILED
    assert head.counts[2, Status.SUCCESSFUL] == 2


async def test_a_cancelled_task_abandons_its_hosts_and_starts_no_other() -> None:
    executor = GatedExecutor(held={host_id: asyncio.Event() for host_id in range(1, 9)})
    work = await make_work(executor=executor, max_lanes=1, lane_window=3)
    await work.heartbeat.beat()
    task = await make_prepared_task(work, range(1, 9))
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 3, 5, "three hosts to be in work")

    assert await work.store.tasks.cancel(task, work.clock()) is True
    await work.heartbeat.beat()

    assert await running == (None, False)
    assert executor.order == [1, 2, 3]
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert (head.status, head.counts[2, Status.FAILED]) == (TaskStatus.FAILED, 8)
