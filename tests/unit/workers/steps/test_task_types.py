"""Each task type's way through the worker, on stub hosts."""

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
from tests.support.work import make_target, make_task, make_work, run_all_steps, run_lane, send_step
from workers.agent.timing import Timing
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import WorkerContext

QUICK = Timing(proof_gap=0.0)


async def make_quick_work(executor: StubExecutor) -> WorkerContext:
    return await make_work(executor=executor, timing=QUICK)


async def read_verdicts(work: WorkerContext, task: TaskRecord, index: int) -> list[str]:
    """Return the last line of each log of a step."""
    found = []
    for series_id in task.plan.steps[index].series:
        runs = await work.store.tasks.logs(task, series_id)
        found.append(runs[-1].lines[-1].text)
    return found


async def read_hosts(work: WorkerContext, host_ids: list[int]) -> set[tuple[HostStatus, AgentStatus, int | None]]:
    found = (await work.store.hosts.get(host_ids)).values()
    return {(host.status, host.agent_status, host.holder) for host in found}


@pytest.mark.parametrize(
    ("slug", "host_ids", "start"), [("batch_restart_agents", [3, 1, 2], 6), ("restart_agent", [3], 3)]
)
async def test_a_restart(slug: str, host_ids: list[int], start: int) -> None:
    executor = StubExecutor()
    work = await make_quick_work(executor)
    task = await make_task(work, host_ids, slug)
    await send_step(work, task, 0)
    assert await read_hosts(work, host_ids) == {(HostStatus.OFFLINE, AgentStatus.RESTARTING, task.id)}

    head = await run_all_steps(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert await read_hosts(work, host_ids) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}
    assert [len(executor.list_pids(host_id)) for host_id in host_ids] == [3] * len(host_ids)
    assert all(verdict.startswith("Started: ") for verdict in await read_verdicts(work, task, start))
    assert all(
        verdict.startswith("Stopped: ") for verdict in await read_verdicts(work, task, start - (2 if start > 3 else 1))
    )
    proxy = await read_verdicts(work, task, 2 if start > 3 else 1)
    assert set(proxy) == {"No pos proxy runs there, as with every agent from 3.2 on: there is nothing to restart."}
    assert executor.count_commands(3)["start"] == executor.count_commands(3)["stop"] == 1


async def test_a_stop_and_then_a_start_of_one_host() -> None:
    executor = StubExecutor()
    work = await make_quick_work(executor)

    assert (await run_all_steps(work, await make_task(work, [7], "stop_agent"))).status is TaskStatus.SUCCESSFUL
    assert executor.list_pids(7) == ()
    assert await read_hosts(work, [7]) == {(HostStatus.OFFLINE, AgentStatus.OFFLINE, None)}

    assert (await run_all_steps(work, await make_task(work, [7], "start_agent"))).status is TaskStatus.SUCCESSFUL
    assert len(executor.list_pids(7)) == 3
    assert await read_hosts(work, [7]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def test_a_start_of_agents_in_every_state() -> None:
    behaviours = {2: Behaviour.STOPPED, 3: Behaviour.ORPHANS}
    executor = StubExecutor(behaviours=behaviours)
    work = await make_quick_work(executor)
    task = await make_task(work, [1, 2, 3], "batch_start_agents")

    assert (await run_all_steps(work, task)).status is TaskStatus.SUCCESSFUL

    said = [verdict.partition(":")[0] for verdict in await read_verdicts(work, task, 2)]
    assert said == ["Was already running", "Started", "Started"]
    assert [len(executor.list_pids(host_id)) for host_id in (1, 2, 3)] == [3, 3, 3]


async def test_a_host_that_does_not_start_holds_the_whole_task() -> None:
    work = await make_quick_work(StubExecutor(behaviours={2: Behaviour.LAME}))
    task = await make_task(work, [1, 2], "batch_restart_agents")

    head = await run_all_steps(work, task)

    assert head.status is TaskStatus.FAILED
    started, failed = await read_verdicts(work, task, 6)
    assert started.startswith("Started: ")
    assert failed.startswith("Not ready: agentd 10")
    assert await read_hosts(work, [1, 2]) == {(HostStatus.OFFLINE, AgentStatus.RESTARTING, task.id)}


async def test_after_a_skipped_start_the_host_has_the_status_that_its_stop_saw() -> None:
    executor = StubExecutor()
    work = await make_quick_work(executor)
    task = await make_task(work, [1], "restart_agent")
    for index in (0, 1, 2):
        if (await send_step(work, task, index)).lanes:
            await run_lane(work, task, index)
    executor.behaviours = {1: Behaviour.UNREACHABLE}
    assert (await send_step(work, task, 3)).lanes
    await run_lane(work, task, 3)
    series_id = task.plan.steps[3].first
    assert await work.store.tasks.change_course(task, Course.SKIP, work.clock(), series_id) is not None

    await run_lane(work, task, 3)
    await send_step(work, task, 4)

    assert await read_hosts(work, [1]) == {(HostStatus.OFFLINE, AgentStatus.OFFLINE, None)}


async def test_a_pos_proxy_is_left_alone_and_reported() -> None:
    executor = StubExecutor(behaviours={2: Behaviour.PROXIED})
    work = await make_quick_work(executor)
    task = await make_task(work, [1, 2], "batch_restart_agents")
    for index in (0, 1):
        await send_step(work, task, index)

    await run_lane(work, task, 2)

    fine, failed = await read_verdicts(work, task, 2)
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
async def test_a_prepared_host_gets_the_status_that_was_found(
    behaviour: Behaviour, host: str, agent: str, version: str | None, said: str
) -> None:
    work = await make_quick_work(StubExecutor(behaviours={1: behaviour}))
    task, host_id = await add_host(work)
    await send_step(work, task, 0)
    assert await read_hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, task.id)}

    head = await run_all_steps(work, task)

    assert head.status is TaskStatus.SUCCESSFUL
    assert await read_hosts(work, [host_id]) == {(HostStatus(host), AgentStatus(agent), None)}
    assert (await work.store.hosts.get((host_id,)))[host_id].agent_version == version
    assert (await read_verdicts(work, task, 1))[0].startswith(said)


async def test_an_unreachable_host_stays_with_its_task_until_a_person_decides() -> None:
    executor = StubExecutor(behaviours={1: Behaviour.UNREACHABLE})
    work = await make_quick_work(executor)
    task, host_id = await add_host(work)
    head = await run_all_steps(work, task)
    assert head.status is TaskStatus.FAILED
    assert await read_hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, task.id)}

    executor.behaviours.clear()
    assert isinstance(await work.store.tasks.change_course(head, Course.RETRY, work.clock()), CourseChanged)
    await run_lane(work, task, 1)
    await send_step(work, task, 2)
    assert await read_hosts(work, [host_id]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def test_a_skipped_search_gives_the_host_back_as_it_was() -> None:
    work = await make_quick_work(StubExecutor(behaviours={1: Behaviour.UNREACHABLE}))
    task, host_id = await add_host(work)
    head = await run_all_steps(work, task)
    await work.store.tasks.change_course(head, Course.SKIP, work.clock(), 1)
    await run_lane(work, task, 1)
    await send_step(work, task, 2)
    assert await read_hosts(work, [host_id]) == {(HostStatus.NEW, AgentStatus.DELETED, None)}


async def test_a_task_does_not_take_a_host_on_which_a_request_works() -> None:
    work = await make_quick_work(StubExecutor())
    task = await make_task(work, [1, 2])
    await work.store.hosts.lease((2,), Lease("lease", "to stop process monagent of its agent", 60_000))
    await send_step(work, task, 0)
    first, second = await read_verdicts(work, task, 0)
    assert second.startswith(
        "Not taken: a request works on host 2 to stop process monagent of its agent, and ends within"
    )
    assert second.endswith(" s. Wait for that request to end, then retry.")
    assert first.endswith(" s; a task takes all its hosts or none. Wait for that request to end, then retry.")
    assert await read_hosts(work, [1, 2]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def add_host(work: WorkerContext) -> tuple[TaskRecord, int]:
    """Add a host; return the task that prepares it, and the host's id."""
    new = NewHost(make_target(0), None, HostDetails())
    draft = Draft(TASK_TYPES["prepare_host"], (), Creator(100, "admin"), "127.0.0.1", "0" * 16, work.clock())
    made = await work.store.tasks.create_with_hosts([new], draft, None)
    assert isinstance(made, HostsAdded)
    return made.tasks[0], made.host_ids[0]
