"""Each task type's way through the worker, on the in-memory record and hosts that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.host import AgentStatus, HostDetails, HostStatus
from core.lease import Lease
from core.record import Creator, Draft
from core.status import TaskStatus
from core.task_types import TASK_TYPES
from infra.store.host_values import HostsAdded, NewHost
from infra.store.task_values import Course, CourseChanged
from tests.support.work import lane, make_task, make_work, run_through, step, target
from workers.agent.timing import Timing
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import WorkerContext

QUICK = Timing(proof_gap=0.0)


async def work_with(executor: StubExecutor) -> WorkerContext:
    return await make_work(executor=executor, timing=QUICK)


async def verdicts(work: WorkerContext, task: TaskRecord, index: int) -> list[str]:
    """Return the last line of each log of a step."""
    found = []
    for series_id in task.plan.steps[index].series:
        runs = await work.store.tasks.logs(task, series_id)
        found.append(runs[-1].lines[-1].text)
    return found


async def hosts(work: WorkerContext, host_ids: list[int]) -> set[tuple[HostStatus, AgentStatus, int | None]]:
    found = (await work.store.hosts.get(host_ids)).values()
    return {(host.status, host.agent_status, host.holder) for host in found}


@pytest.mark.parametrize(
    ("slug", "host_ids", "start"), [("batch_restart_agents", [3, 1, 2], 6), ("restart_agent", [3], 3)]
)
async def test_a_restart(slug: str, host_ids: list[int], start: int) -> None:
    executor = StubExecutor()
    work = await work_with(executor)
    task = await make_task(work, host_ids, slug)
    await step(work, task, 0)
    assert await hosts(work, host_ids) == {(HostStatus.OFFLINE, AgentStatus.RESTARTING, task.id)}

    head = await run_through(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert await hosts(work, host_ids) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}
    assert [len(executor.list_pids(host_id)) for host_id in host_ids] == [3] * len(host_ids)
    assert all(verdict.startswith("Started: ") for verdict in await verdicts(work, task, start))
    assert all(
        verdict.startswith("Stopped: ") for verdict in await verdicts(work, task, start - (2 if start > 3 else 1))
    )
    proxy = await verdicts(work, task, 2 if start > 3 else 1)
    assert set(proxy) == {"No pos proxy runs there, as with every agent from 3.2 on: there is nothing to restart."}
    assert executor.count_commands(3)["start"] == executor.count_commands(3)["stop"] == 1


async def test_a_stop_and_then_a_start_of_one_host() -> None:
    executor = StubExecutor()
    work = await work_with(executor)

    assert (await run_through(work, await make_task(work, [7], "stop_agent"))).status is TaskStatus.SUCCESSFUL
    assert executor.list_pids(7) == ()
    assert await hosts(work, [7]) == {(HostStatus.OFFLINE, AgentStatus.OFFLINE, None)}

    assert (await run_through(work, await make_task(work, [7], "start_agent"))).status is TaskStatus.SUCCESSFUL
    assert len(executor.list_pids(7)) == 3
    assert await hosts(work, [7]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def test_a_start_of_agents_in_every_state() -> None:
    behaviours = {2: Behaviour.STOPPED, 3: Behaviour.ORPHANS}
    executor = StubExecutor(behaviours=behaviours)
    work = await work_with(executor)
    task = await make_task(work, [1, 2, 3], "batch_start_agents")

    assert (await run_through(work, task)).status is TaskStatus.SUCCESSFUL

    said = [verdict.partition(":")[0] for verdict in await verdicts(work, task, 2)]
    assert said == ["Was already running", "Started", "Started"]
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2, 3)] == [3, 3, 3]


async def test_a_host_that_does_not_start_keeps_the_task_and_its_hosts() -> None:
    work = await work_with(StubExecutor(behaviours={2: Behaviour.LAME}))
    task = await make_task(work, [1, 2], "batch_restart_agents")

    head = await run_through(work, task)

    assert head.status is TaskStatus.FAILED
    started, failed = await verdicts(work, task, 6)
    assert started.startswith("Started: ")
    assert failed.startswith("Not ready: agentd 10")
    assert await hosts(work, [1, 2]) == {(HostStatus.OFFLINE, AgentStatus.RESTARTING, task.id)}


async def test_a_skipped_start_leaves_the_host_as_its_stop_saw_it_last() -> None:
    executor = StubExecutor()
    work = await work_with(executor)
    task = await make_task(work, [1], "restart_agent")
    for index in (0, 1, 2):
        if (await step(work, task, index)).lanes:
            await lane(work, task, index)
    executor.behaviours = {1: Behaviour.UNREACHABLE}
    assert (await step(work, task, 3)).lanes
    await lane(work, task, 3)
    series_id = task.plan.steps[3].first
    assert await work.store.tasks.change_course(task, Course.SKIP, work.clock(), series_id) is not None

    await lane(work, task, 3)
    await step(work, task, 4)

    assert await hosts(work, [1]) == {(HostStatus.OFFLINE, AgentStatus.OFFLINE, None)}


async def test_a_pos_proxy_is_left_alone_and_said_to_be_there() -> None:
    executor = StubExecutor(behaviours={2: Behaviour.PROXIED})
    work = await work_with(executor)
    task = await make_task(work, [1, 2], "batch_restart_agents")
    for index in (0, 1):
        await step(work, task, index)

    await lane(work, task, 2)

    fine, failed = await verdicts(work, task, 2)
    assert fine.startswith("No pos proxy runs there")
    assert failed.startswith("Pos proxy runs: process ")
    assert failed.endswith("Restart it on the host by hand and skip this subtask, or update the agent and retry.")
    assert len(executor.list_pids(2)) == 4


@pytest.mark.parametrize(
    ("behaviour", "host", "agent", "version", "said"),
    [
        (
            Behaviour.HEALTHY,
            "ONLINE",
            "AVAILABLE",
            "4.2.2-stub",
            "Found: an OCP agent of version 4.2.2-stub; it is ready",
        ),
        (
            Behaviour.STOPPED,
            "OFFLINE",
            "OFFLINE",
            "4.2.2-stub",
            "Found: an OCP agent of version 4.2.2-stub; it is stop",
        ),
        (Behaviour.BARE, "NEW", "DELETED", None, "Not installed: /home/admin/ocp_agent/bin/ocp_agentctl is missing"),
    ],
)
async def test_a_host_is_prepared_and_stands_as_it_was_found(
    behaviour: Behaviour, host: str, agent: str, version: str | None, said: str
) -> None:
    work = await work_with(StubExecutor(behaviours={1: behaviour}))
    task, host_id = await added(work)
    await step(work, task, 0)
    assert await hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, task.id)}

    head = await run_through(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert await hosts(work, [host_id]) == {(HostStatus(host), AgentStatus(agent), None)}
    assert (await work.store.hosts.get((host_id,)))[host_id].agent_version == version
    assert (await verdicts(work, task, 1))[0].startswith(said)


async def test_a_host_that_cannot_be_reached_stays_with_its_task_until_somebody_decides() -> None:
    executor = StubExecutor(behaviours={1: Behaviour.UNREACHABLE})
    work = await work_with(executor)
    task, host_id = await added(work)
    head = await run_through(work, task)
    assert head.status is TaskStatus.FAILED
    assert await hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, task.id)}

    executor.behaviours.clear()
    assert isinstance(await work.store.tasks.change_course(head, Course.RETRY, work.clock()), CourseChanged)
    await lane(work, task, 1)
    await step(work, task, 2)
    assert await hosts(work, [host_id]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def test_a_skipped_search_gives_the_host_back_as_it_was() -> None:
    work = await work_with(StubExecutor(behaviours={1: Behaviour.UNREACHABLE}))
    task, host_id = await added(work)
    head = await run_through(work, task)
    await work.store.tasks.change_course(head, Course.SKIP, work.clock(), 1)
    await lane(work, task, 1)
    await step(work, task, 2)
    assert await hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, None)}


async def test_a_task_does_not_take_a_host_on_which_a_request_works() -> None:
    work = await work_with(StubExecutor())
    task = await make_task(work, [1, 2])
    await work.store.hosts.lease((2,), Lease("lease", "to stop process monagent of its agent", 60_000))
    await step(work, task, 0)
    first, second = await verdicts(work, task, 0)
    assert second.startswith(
        "Not taken: a request works on host 2 to stop process monagent of its agent, and ends within"
    )
    assert second.endswith(" s. Wait for that request to end, then retry.")
    assert first.endswith(" s; a task takes all its hosts or none. Wait for that request to end, then retry.")
    assert await hosts(work, [1, 2]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def added(work: WorkerContext) -> tuple[TaskRecord, int]:
    """Add a host; return the task that prepares it, and its id."""
    new = NewHost(target(0), None, HostDetails())
    draft = Draft(TASK_TYPES["prepare_host"], (), Creator(100, "admin"), "127.0.0.1", "0" * 16, work.clock())
    made = await work.store.tasks.create_with_hosts([new], draft, None)
    assert isinstance(made, HostsAdded)
    return made.tasks[0], made.host_ids[0]
