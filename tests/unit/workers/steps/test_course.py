"""What a worker does with subtasks that are retried or skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.host import AgentStatus
from core.status import Operation, Status, TaskStatus
from infra.store.task_values import Course
from tests.support.work import make_prepared_task, make_task, make_work, run_lane, send_step
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor
from workers.messages import StepResult

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import WorkerContext

STOP = 2


async def _ask(work: WorkerContext, task: TaskRecord, course: Course, series_id: int | None = None) -> None:
    assert await work.store.tasks.change_course(task, course, work.clock(), series_id) is not None


async def _finish(work: WorkerContext, task: TaskRecord) -> TaskRecord:
    """Handle the messages of the steps after the one on hosts."""
    assert await send_step(work, task, 3) == StepResult(opened=4)
    assert await send_step(work, task, 4) == StepResult()
    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert head.status is TaskStatus.SUCCESSFUL
    return head


async def test_a_retry_touches_only_the_host_that_failed() -> None:
    executor = StubExecutor(behaviours={2: Behaviour.UNREACHABLE})
    work = await make_work(executor=executor)
    task = await make_prepared_task(work, [1, 2, 3])
    await run_lane(work, task)
    executor.behaviours.clear()
    before = {host_id: executor.count_commands(host_id) for host_id in (1, 3)}

    await _ask(work, task, Course.RETRY)
    assert await send_step(work, task, STOP) == StepResult(lanes=True)
    assert await run_lane(work, task) == (3, False)

    assert {host_id: executor.count_commands(host_id) for host_id in (1, 3)} == before
    assert executor.count_commands(2)["stop"] == 1
    records = await work.store.tasks.subtasks(await _finish(work, task))
    assert [(records[one].operation, records[one].run_time) for one in task.plan.steps[STOP].series] == [
        (Operation.EXECUTE, 1),
        (Operation.RETRY, 2),
        (Operation.EXECUTE, 1),
    ]


@pytest.mark.parametrize(
    ("behaviour", "agent"),
    [
        (Behaviour.REFUSING, AgentStatus.AVAILABLE),
        (Behaviour.UNREACHABLE, AgentStatus.AVAILABLE),
    ],
)
async def test_after_a_skipped_stop_the_agent_has_the_status_that_was_seen(
    behaviour: Behaviour, agent: AgentStatus
) -> None:
    work = await make_work(executor=StubExecutor(behaviours={2: behaviour}))
    task = await make_prepared_task(work, [1, 2])
    await run_lane(work, task)
    series_id = task.plan.steps[STOP].first + 1

    await _ask(work, task, Course.SKIP, series_id)
    assert await run_lane(work, task) == (3, False)
    head = await _finish(work, task)

    record = await work.store.tasks.subtask(head, series_id)
    assert record is not None
    assert (record.status, record.operation) == (Status.SUCCESSFUL, Operation.SKIP)
    log = (await work.store.tasks.logs(head, series_id))[-1]
    assert log.lines[-1].text == "Nothing was done: a person declared this subtask successful."
    hosts = await work.store.hosts.get([1, 2])
    assert [hosts[host_id].agent_status for host_id in (1, 2)] == [AgentStatus.OFFLINE, agent]
    assert {host.holder for host in hosts.values()} == {None}


async def test_a_host_whose_taking_was_skipped_is_never_worked_on() -> None:
    executor = StubExecutor()
    work = await make_work(executor=executor)
    holder = await make_task(work, [2])
    await send_step(work, holder, 0)
    task = await make_task(work, [1, 2])
    await send_step(work, task, 0)

    await _ask(work, task, Course.SKIP, 1)
    await _ask(work, task, Course.RETRY, 0)
    assert await send_step(work, task, 0) == StepResult(opened=1)
    assert await send_step(work, task, 1) == StepResult(opened=2)
    assert await run_lane(work, task) == (3, False)
    head = await _finish(work, task)

    assert executor.count_commands(1)["stop"] == 1
    assert not executor.count_commands(2)
    log = (await work.store.tasks.logs(head, task.plan.steps[STOP].first + 1))[-1]
    assert "the taking of this host was skipped" in log.lines[-1].text
    hosts = await work.store.hosts.get([1, 2])
    assert (hosts[2].holder, hosts[2].agent_status) == (holder.id, AgentStatus.STOPPING)


async def test_a_refused_prepare_can_be_retried_once_its_hosts_are_free() -> None:
    work = await make_work()
    holder = await make_prepared_task(work, [1])
    loser = await make_task(work, [1, 2])
    await send_step(work, loser, 0)
    await run_lane(work, holder)
    await _finish(work, holder)

    await _ask(work, loser, Course.RETRY)
    assert await send_step(work, loser, 0) == StepResult(opened=1)

    assert {host.holder for host in (await work.store.hosts.get([1, 2])).values()} == {loser.id}
