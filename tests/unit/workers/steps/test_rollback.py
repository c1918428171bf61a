"""A rollback undoes what the task did, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.claim import require_host_claims
from core.host import AgentStatus, HostStatus
from core.status import Operation, Status, TaskStatus
from infra.store.task_values import ClaimRequest, Course
from tests.support.records import run_log
from tests.support.work import make_prepared_task, make_task, make_work, run_lane, send_step
from workers.agent.timing import Timing
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor
from workers.messages import StepResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.record import TaskRecord
    from workers.context import WorkerContext

STOP = 2
AT_ONCE = Timing(poll_every=0, proof_wait=0, settle_for=0.1, ready_for=0.1, proof_gap=0)


async def make_quick_work(behaviours: Mapping[int, Behaviour]) -> tuple[WorkerContext, StubExecutor]:
    executor = StubExecutor(behaviours=behaviours)
    return await make_work(executor=executor, timing=AT_ONCE), executor


async def roll_back(work: WorkerContext, task: TaskRecord) -> TaskRecord:
    """Ask for a rollback and handle the messages of its steps, from the one where the task failed to the first."""
    assert await work.store.tasks.change_course(task, Course.ROLLBACK, work.clock()) is not None
    return await send_rollback_messages(work, task)


async def send_rollback_messages(work: WorkerContext, task: TaskRecord) -> TaskRecord:
    head = await work.store.tasks.head(task.id)
    assert head is not None
    for planned in task.plan.steps[head.current_step :: -1]:
        if (await send_step(work, task, planned.index)).lanes:
            await run_lane(work, task, planned.index)
    head = await work.store.tasks.head(task.id)
    assert head is not None
    return head


async def read_states(work: WorkerContext, host_ids: Sequence[int]) -> list[tuple[HostStatus, AgentStatus, int | None]]:
    hosts = await work.store.hosts.get(host_ids)
    return [(hosts[one].status, hosts[one].agent_status, hosts[one].holder) for one in host_ids]


async def read_verdict(work: WorkerContext, task: TaskRecord, series_id: int) -> str:
    logs = await work.store.tasks.logs(task, series_id)
    return logs[-1].lines[-1].text


AS_BEFORE = (HostStatus.ONLINE, AgentStatus.AVAILABLE, None)
STOPPED = (HostStatus.OFFLINE, AgentStatus.OFFLINE, None)


async def test_a_failed_stop_is_undone_where_the_task_stopped_something() -> None:
    work, executor = await make_quick_work({2: Behaviour.REFUSING, 3: Behaviour.STOPPED, 4: Behaviour.UNREACHABLE})
    task = await make_prepared_task(work, [1, 2, 3, 4])
    await run_lane(work, task)
    assert not executor.list_pids(1)
    assert len(executor.list_pids(2)) == 3
    executor.behaviours.pop(2)

    head = await roll_back(work, task)

    assert (head.status, head.operation, head.rollback_step) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK, 0)
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2, 3)] == [3, 3, 0]
    assert await read_states(work, [1, 2, 3, 4]) == [AS_BEFORE] * 4
    first = task.plan.steps[STOP].first
    assert (await read_verdict(work, task, first)).startswith("Started: processes ")
    assert (await read_verdict(work, task, first + 1)).startswith("Was already running: ")
    untouched = "Nothing was done: no run of this subtask changed the agent on this host."
    assert [await read_verdict(work, task, first + index) for index in (2, 3)] == [untouched] * 2
    assert executor.count_commands(3)["start"] == executor.count_commands(4)["start"] == 0
    stored = await work.store.tasks.subtasks(head)
    assert {one.status for _, one in head.derive_subtasks(stored)} == {Status.PENDING}


async def test_a_start_that_fails_on_the_way_back_keeps_all_hosts_until_it_is_dealt_with() -> None:
    work, executor = await make_quick_work({2: Behaviour.UNREACHABLE})
    task = await make_prepared_task(work, [1, 2, 3])
    await run_lane(work, task)
    executor.behaviours = {1: Behaviour.LAME}

    head = await roll_back(work, task)

    assert (head.status, head.operation, head.rollback_step) == (TaskStatus.FAILED, Operation.ROLLBACK, STOP)
    assert {holder for _, _, holder in await read_states(work, [1, 2, 3])} == {task.id}
    executor.behaviours = {}
    executor.start_agent(1, ())
    assert await work.store.tasks.change_course(task, Course.RETRY, work.clock()) is not None
    head = await send_rollback_messages(work, task)
    assert (head.status, head.operation) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK)
    assert await read_states(work, [1, 2, 3]) == [AS_BEFORE] * 3
    assert len(executor.list_pids(1)) == 3


async def test_a_host_whose_rollback_was_skipped_is_given_back_as_last_seen() -> None:
    work, executor = await make_quick_work({2: Behaviour.UNREACHABLE})
    task = await make_prepared_task(work, [1, 2])
    await run_lane(work, task)
    executor.behaviours = {1: Behaviour.UNREACHABLE}
    await roll_back(work, task)
    first = task.plan.steps[STOP].first
    assert await work.store.tasks.change_course(task, Course.SKIP, work.clock(), first) is not None

    head = await send_rollback_messages(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert await read_states(work, [1, 2]) == [(HostStatus.OFFLINE, AgentStatus.OFFLINE, None), AS_BEFORE]


async def test_what_an_unfinished_rollback_saw_counts_as_last_seen() -> None:
    work, executor = await make_quick_work({2: Behaviour.UNREACHABLE})
    task = await make_prepared_task(work, [1, 2])
    await run_lane(work, task)
    executor.behaviours = {1: Behaviour.LOST}
    executor.start_agent(1)
    await roll_back(work, task)
    first = task.plan.steps[STOP].first
    assert (await read_verdict(work, task, first)).startswith("Unreachable: ")
    assert await work.store.tasks.change_course(task, Course.SKIP, work.clock(), first) is not None

    await send_rollback_messages(work, task)

    assert await read_states(work, [1, 2]) == [AS_BEFORE] * 2


async def test_a_rolled_back_restart_undoes_what_its_stop_did() -> None:
    work, executor = await make_quick_work({2: Behaviour.STOPPED, 3: Behaviour.LAME})
    task = await make_task(work, [1, 2, 3], "batch_restart_agents")
    for index in range(7):
        if (await send_step(work, task, index)).lanes:
            await run_lane(work, task, index)
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2)] == [3, 3]
    executor.behaviours = {}

    head = await roll_back(work, task)

    assert (head.status, head.operation) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK)
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2, 3)] == [3, 0, 3]
    assert await read_states(work, [1, 2, 3]) == [AS_BEFORE, STOPPED, AS_BEFORE], "the record took host 2's for running"
    start = task.plan.steps[6].first
    ran = "Nothing was done: the agent ran before this task stopped it and started it again."
    assert await read_verdict(work, task, start) == ran
    assert (await read_verdict(work, task, start + 1)).startswith("Stopped: ")


async def test_a_start_is_undone_where_the_agent_did_not_run_before() -> None:
    work, executor = await make_quick_work({1: Behaviour.STOPPED, 3: Behaviour.UNREACHABLE})
    task = await make_task(work, [1, 2, 3], "batch_start_agents")
    for index in range(3):
        if (await send_step(work, task, index)).lanes:
            await run_lane(work, task, index)

    head = await roll_back(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2)] == [0, 3]
    assert await read_states(work, [1, 2, 3]) == [STOPPED, AS_BEFORE, AS_BEFORE]


async def test_a_host_whose_start_was_lost_is_given_back_as_the_rollback_left_it() -> None:
    work, executor = await make_quick_work({2: Behaviour.UNREACHABLE})
    task = await make_task(work, [1, 2], "batch_start_agents")
    await send_step(work, task, 0)
    await send_step(work, task, 1)
    lost = await work.store.workers.enrol("lost")
    starting = task.plan.steps[2]
    _, claims = await work.store.tasks.advance(task, starting, lost, work.clock(), claim=ClaimRequest(1))
    await work.store.tasks.reopen(task, lost, [claim.key for claim in claims.granted], work.clock(), lost=run_log())
    await run_lane(work, task)

    head = await roll_back(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert not executor.list_pids(1), "nobody knows that the lost run changed nothing"
    assert await read_states(work, [1, 2]) == [STOPPED, AS_BEFORE]


async def test_a_taking_that_failed_has_nothing_to_give_back() -> None:
    work, executor = await make_quick_work({})
    holder = await make_prepared_task(work, [1, 2])
    loser = await make_task(work, [2, 3])
    await send_step(work, loser, 0)

    head = await roll_back(work, loser)

    assert (head.status, head.operation) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK)
    assert [holder_id for _, _, holder_id in await read_states(work, [1, 2, 3])] == [holder.id, holder.id, None]
    assert not executor.count_commands(2)


async def test_hosts_that_were_given_back_already_are_taken_again_first() -> None:
    work, executor = await make_quick_work({})
    task = await make_prepared_task(work, [1, 2, 3])
    await run_lane(work, task)
    assert await send_step(work, task, 3) == StepResult(opened=4)
    finish = task.plan.steps[4]
    _, claims = await work.recorder.advance(task, finish, claim=ClaimRequest(10))
    await work.store.tasks.give_back_hosts(require_host_claims(claims.granted[:2]), work.clock(), task.task_type.after)
    assert await work.store.tasks.cancel(task, work.clock()) is True  # nobody beats: the runs are over at once
    other = await make_task(work, [2])
    await send_step(work, other, 0)

    head = await roll_back(work, task)

    assert (head.status, head.rollback_step) == (TaskStatus.FAILED, 4)
    assert "holds host 2" in await read_verdict(work, task, finish.first + 1)
    assert await work.store.tasks.change_course(task, Course.SKIP, work.clock(), finish.first + 1) is not None
    head = await send_rollback_messages(work, task)
    assert (head.status, head.operation) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK)
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2, 3)] == [3, 0, 3]
    left = "Nothing was done: this task does not hold the host, or no longer does, so the host is left as it is."
    assert await read_verdict(work, task, task.plan.steps[STOP].first + 1) == left
    assert [holder for _, _, holder in await read_states(work, [1, 2, 3])] == [None, other.id, None]


@pytest.mark.parametrize("index", [0, 1, 3, 4])
async def test_messages_of_other_steps_change_nothing(index: int) -> None:
    work, _ = await make_quick_work({1: Behaviour.UNREACHABLE})
    task = await make_prepared_task(work, [1])
    await run_lane(work, task)
    await work.store.tasks.change_course(task, Course.ROLLBACK, work.clock())
    assert await send_step(work, task, index) == StepResult()
    assert await send_step(work, task, STOP) == StepResult(lanes=True)
