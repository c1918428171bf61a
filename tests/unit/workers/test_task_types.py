"""Each task type's way through the worker, on the in-memory record and hosts that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.host import AgentStatus, HostStatus
from core.status import TaskStatus
from tests.support.work import lane, make_task, make_work, run_through, step
from workers.agent.policy import StartPolicy
from workers.executor.stub import Behaviour, StubExecutor

if TYPE_CHECKING:
    from core.record import TaskRecord
    from workers.context import Work

QUICK = StartPolicy(proof_gap=0.0)


async def work_with(executor: StubExecutor) -> Work:
    return await make_work(executor=executor, start_policy=QUICK)


async def verdicts(work: Work, task: TaskRecord, index: int) -> list[str]:
    """Return the last line of each log of a step."""
    found = []
    for series_id in task.plan.steps[index].series:
        runs = await work.store.tasks.logs(task, series_id)
        found.append(runs[-1].lines[-1].text)
    return found


async def hosts(work: Work, host_ids: list[int]) -> set[tuple[HostStatus, AgentStatus, int | None]]:
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
    assert [len(executor.alive(host_id)) for host_id in host_ids] == [3] * len(host_ids)
    assert all(verdict.startswith("Started: ") for verdict in await verdicts(work, task, start))
    assert all(
        verdict.startswith("Stopped: ") for verdict in await verdicts(work, task, start - (2 if start > 3 else 1))
    )
    proxy = await verdicts(work, task, 2 if start > 3 else 1)
    assert set(proxy) == {"No pos proxy runs there, as with every agent from 3.2 on: there is nothing to restart."}
    assert executor.commands(3)["start"] == executor.commands(3)["stop"] == 1


async def test_a_stop_and_then_a_start_of_one_host() -> None:
    executor = StubExecutor()
    work = await work_with(executor)

    assert (await run_through(work, await make_task(work, [7], "stop_agent"))).status is TaskStatus.SUCCESSFUL
    assert executor.alive(7) == ()
    assert await hosts(work, [7]) == {(HostStatus.OFFLINE, AgentStatus.OFFLINE, None)}

    assert (await run_through(work, await make_task(work, [7], "start_agent"))).status is TaskStatus.SUCCESSFUL
    assert len(executor.alive(7)) == 3
    assert await hosts(work, [7]) == {(HostStatus.ONLINE, AgentStatus.AVAILABLE, None)}


async def test_a_start_of_agents_in_every_state() -> None:
    behaviours = {2: Behaviour.STOPPED, 3: Behaviour.ORPHANS}
    executor = StubExecutor(behaviours=behaviours)
    work = await work_with(executor)
    task = await make_task(work, [1, 2, 3], "batch_start_agents")

    assert (await run_through(work, task)).status is TaskStatus.SUCCESSFUL

    said = [verdict.partition(":")[0] for verdict in await verdicts(work, task, 2)]
    assert said == ["Was already running", "Started", "Started"]
    assert [len(executor.alive(host_id)) for host_id in (1, 2, 3)] == [3, 3, 3]


async def test_a_host_that_does_not_start_keeps_the_task_and_its_hosts() -> None:
    work = await work_with(StubExecutor(behaviours={2: Behaviour.LAME}))
    task = await make_task(work, [1, 2], "batch_restart_agents")

    head = await run_through(work, task)

    assert head.status is TaskStatus.FAILED
    started, failed = await verdicts(work, task, 6)
    assert started.startswith("Started: ")
    assert failed.startswith("Not ready: agentd 10")
    assert await hosts(work, [1, 2]) == {(HostStatus.OFFLINE, AgentStatus.RESTARTING, task.id)}


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
    assert len(executor.alive(2)) == 4
