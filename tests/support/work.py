"""A worker's context for unit tests: a simulated record, stub hosts, and a clock that goes on with each reading."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.host import Target
from core.record import Creator, Draft
from core.task_types import TASK_TYPES
from infra.store.host_values import HostEntry
from infra.store.task_values import ClaimRequest
from infra.store.values import SUSPECT
from tests.support.fake_store import FakeStore
from tests.support.records import run_log
from workers.context import WorkerContext
from workers.executor.slots import Slots
from workers.executor.stub.executor import StubExecutor
from workers.messages import StepResult, find_step, handle_lane, handle_step
from workers.record.heartbeat import Heartbeat

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Sequence

    from core.record import TaskRecord
    from infra.store import Store
    from workers.executor.base import Executor, HostSession


def make_target(host_id: int) -> Target:
    """Return a host that does not exist."""
    return Target(host_id, "10.0.0.1", 22, "admin", "/home/admin/ocp_agent", "ocp", sudo=False, host_key="key")


async def make_work(store: Store | None = None, executor: Executor | None = None, **more: Any) -> WorkerContext:
    """Return the context of a worker that has just enrolled."""
    ticks = itertools.count(1_000)
    store = store or FakeStore()
    worker = await store.workers.enrol("worker-1@test")
    settings = {"slots": Slots(512), "max_lanes": 4, "lane_window": 8, **more}
    return WorkerContext(
        store=store,
        executor=executor or StubExecutor(),
        heartbeat=Heartbeat(store, worker, every=1.0, alive_for=5.0),
        clock=lambda: next(ticks),
        **settings,
    )


async def make_task(work: WorkerContext, host_ids: Sequence[int], slug: str = "batch_stop_agents") -> TaskRecord:
    """Store a task on hosts, which are added to the inventory."""
    await work.store.hosts.put([HostEntry(make_target(host_id), None) for host_id in host_ids], 0)
    draft = Draft(TASK_TYPES[slug], tuple(host_ids), Creator(100, "admin"), "127.0.0.1", "0" * 16, work.clock())
    return await work.store.tasks.create(draft)


async def send_step(work: WorkerContext, task: TaskRecord, index: int) -> StepResult:
    """Handle the message of a step."""
    found = await find_step(work, task.id, index)
    assert found is not None
    return await handle_step(work, found)


async def run_lane(work: WorkerContext, task: TaskRecord, index: int = 2) -> tuple[int | None, bool]:
    """Handle the message of a lane; return the step that it opened, and whether it asks for another lane."""
    found = await find_step(work, task.id, index)
    assert found is not None
    end = await handle_lane(work, found)
    return end.opened, end.handed_over


async def run_all_steps(work: WorkerContext, task: TaskRecord) -> TaskRecord:
    """Handle the messages of all steps in order; return the task's head after that."""
    for planned in task.plan:
        if (await send_step(work, task, planned.index)).lanes:
            await run_lane(work, task, planned.index)
    head = await work.store.tasks.head(task.id)
    assert head is not None
    return head


async def make_prepared_task(work: WorkerContext, host_ids: Sequence[int]) -> TaskRecord:
    """Store a batch stop and handle its messages up to the step on hosts."""
    task = await make_task(work, host_ids)
    assert await send_step(work, task, 0) == StepResult(opened=1)
    assert await send_step(work, task, 1) == StepResult(opened=2)
    return task


async def make_suspects(work: WorkerContext, host_ids: Sequence[int], count: int | None = None) -> TaskRecord:
    """Store a batch stop whose first hosts, or all, each lost enough workers to be suspects."""
    task = await make_prepared_task(work, host_ids)
    count = len(host_ids) if count is None else count
    for number in range(SUSPECT):
        victim = await work.store.workers.enrol(f"victim-{number}@test")
        request = ClaimRequest(count)
        _, answer = await work.store.tasks.advance(task, task.plan.steps[2], victim, work.clock(), claim=request)
        keys = [claim.key for claim in answer.granted]
        assert len(keys) == count
        await work.store.tasks.reopen(task, victim, keys, work.clock(), lost=run_log(1, "lost"))
        await work.store.workers.bury(victim)
    return task


@dataclass
class GatedExecutor:
    """Reaches hosts as the stub does, but holds the connections to some of them until a test lets them pass."""

    held: dict[int, asyncio.Event] = field(default_factory=dict)
    inside: int = 0
    most: int = 0
    order: list[int] = field(default_factory=list)
    stub: StubExecutor = field(default_factory=StubExecutor)

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[HostSession]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.order.append(target.host_id)
        try:
            if gate := self.held.get(target.host_id):
                await gate.wait()
            async with self.stub.connect(target) as session:
                yield session
        finally:
            self.inside -= 1

    async def aclose(self) -> None:
        await self.stub.aclose()
