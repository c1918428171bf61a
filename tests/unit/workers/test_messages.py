"""A task's way through the worker, message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.host import AgentStatus, HostStatus
from core.status import Status, TaskStatus
from tests.support.work import make_prepared_task, make_task, make_work, run_lane, send_step
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor
from workers.messages import StepResult, find_step

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import WorkerContext


async def read_statuses(work: WorkerContext, task: TaskRecord) -> list[set[str]]:
    head = await work.store.tasks.head(task.id)
    assert head is not None
    records = dict(head.derive_subtasks(await work.store.tasks.subtasks(head)))
    return [{records[series_id].status for series_id in planned.series} for planned in head.plan]


async def test_from_accepted_to_successful() -> None:
    work = await make_work()
    task = await make_task(work, [3, 1, 2])

    assert await send_step(work, task, 0) == StepResult(opened=1)
    taken = await work.store.hosts.get([1, 2, 3])
    assert {(host.status, host.agent_status, host.holder) for host in taken.values()} == {
        (HostStatus.OFFLINE, AgentStatus.STOPPING, task.id)
    }
    assert await send_step(work, task, 1) == StepResult(opened=2)
    assert await send_step(work, task, 2) == StepResult(lanes=True)
    assert await run_lane(work, task) == (3, False)
    assert await send_step(work, task, 3) == StepResult(opened=4)
    assert await send_step(work, task, 4) == StepResult()

    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.status is TaskStatus.SUCCESSFUL
    freed = await work.store.hosts.get([1, 2, 3])
    assert {(host.status, host.agent_status, host.holder) for host in freed.values()} == {
        (HostStatus.OFFLINE, AgentStatus.OFFLINE, None)
    }


@pytest.mark.parametrize("index", [1, 2, 3, 4])
async def test_an_early_message_does_nothing(index: int) -> None:
    work = await make_work()
    task = await make_task(work, [1, 2])
    assert await send_step(work, task, index) == StepResult()
    assert await read_statuses(work, task) == [{Status.READY}, *[{Status.PENDING}] * 4]


async def test_an_early_lane_does_nothing() -> None:
    work = await make_work()
    task = await make_task(work, [1, 2])
    assert await run_lane(work, task) == (None, False)
    assert await read_statuses(work, task) == [{Status.READY}, *[{Status.PENDING}] * 4]


async def test_a_second_copy_of_a_message_does_nothing() -> None:
    executor = StubExecutor()
    work = await make_work(executor=executor)
    task = await make_prepared_task(work, [1, 2])
    assert await send_step(work, task, 0) == StepResult()
    assert await send_step(work, task, 1) == StepResult()
    assert await run_lane(work, task) == (3, False)
    assert await run_lane(work, task) == (None, False)
    assert await send_step(work, task, 2) == StepResult()
    assert executor.count_commands(1) == {"stop": 1}


async def test_messages_about_unknown_steps_are_dropped() -> None:
    work = await make_work()
    task = await make_task(work, [1])
    assert await find_step(work, 999, 0) is None
    assert await find_step(work, task.id, 5) is None
    assert await find_step(work, task.id, -1) is None
    assert await run_lane(work, task, index=0) == (None, False)


async def test_of_two_tasks_the_second_takes_nothing_and_names_the_first() -> None:
    work = await make_work()
    first = await make_task(work, [2, 3])
    second = await make_task(work, [1, 2])
    await send_step(work, first, 0)

    assert await send_step(work, second, 0) == StepResult()

    head = await work.store.tasks.head(second.id)
    assert head is not None
    assert head.status is TaskStatus.FAILED
    assert await read_statuses(work, second) == [{Status.FAILED}, *[{Status.PENDING}] * 4]
    said = [(await work.store.tasks.logs(head, series_id))[0].lines[-1].text for series_id in (0, 1)]
    assert said[0].startswith(f"Not taken: task {first.id} holds host 2, and a task takes all its hosts or none.")
    assert said[1].startswith(f"Not taken: task {first.id} holds host 2.")
    assert (await work.store.hosts.get([1]))[1].holder is None
    assert (await work.store.hosts.get([1]))[1].agent_status is AgentStatus.AVAILABLE


async def test_more_hosts_than_one_call_takes_are_taken_all_or_none() -> None:
    work = await make_work()
    many = list(range(1, 1202))
    holder = await make_task(work, [1200])
    await send_step(work, holder, 0)
    task = await make_task(work, many)

    assert await send_step(work, task, 0) == StepResult()

    held = {host_id for host_id, host in (await work.store.hosts.get(many)).items() if host.holder == task.id}
    assert held == set()
    assert (await read_statuses(work, task))[0] == {Status.FAILED}


async def test_one_failed_host_holds_the_task_at_the_next_wait_node() -> None:
    work = await make_work(executor=StubExecutor(behaviours={2: Behaviour.UNREACHABLE}))
    task = await make_prepared_task(work, [1, 2, 3])

    assert await run_lane(work, task) == (None, False)

    assert (await read_statuses(work, task))[2:] == [
        {Status.SUCCESSFUL, Status.FAILED},
        {Status.PENDING},
        {Status.PENDING},
    ]
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.status is TaskStatus.FAILED
    assert {host.holder for host in (await work.store.hosts.get([1, 2, 3])).values()} == {task.id}
