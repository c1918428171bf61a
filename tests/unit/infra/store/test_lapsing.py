"""What goes by itself when its time is over."""

from core.claim import Worker
from infra.store.task_values import TaskQuery
from infra.store.values import StoreOptions
from tests.support.fake_store import FakeStore, let_pass
from tests.support.records import NOW, PREPARE, advance, claim_step, draft, make_failures

DAY = 24 * 3600 * 1000
MARGIN = 10_000
"""Milliseconds that the test itself may take: real time passes for the store, too."""


async def test_a_task_goes_when_its_time_is_over() -> None:
    store = FakeStore(StoreOptions(keep_tasks=30 * DAY, keep_events=DAY))
    task = await store.tasks.create(draft((1,)))
    await advance(store, task, PREPARE, make_failures(await claim_step(store, task, PREPARE)))
    await let_pass(store, DAY - MARGIN)
    assert await store.tasks.events(task.id) != ()
    await let_pass(store, MARGIN)
    assert await store.tasks.events(task.id) == ()
    await let_pass(store, 29 * DAY - MARGIN)
    assert await store.tasks.head(task.id) is not None
    await let_pass(store, MARGIN)
    assert await store.tasks.head(task.id) is None
    assert (await store.tasks.page(TaskQuery(), NOW + 30 * DAY)).total == 0
    assert await store.tasks.withdraw(task.id)


async def test_a_worker_lapses() -> None:
    store = FakeStore()
    worker = await store.workers.enrol("worker-1")
    await store.workers.beat(worker, 2 * MARGIN)
    await let_pass(store, MARGIN)
    assert await store.workers.alive() == (worker,)
    await let_pass(store, MARGIN)
    assert await store.workers.alive() == ()
    assert not (await store.workers.beat(Worker(99, "stranger"), 15_000)).known
