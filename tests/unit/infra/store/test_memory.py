"""What the twin in memory lets tests do that no server does: turn the clock."""

from core.claim import Worker
from infra.store.base import StoreOptions
from infra.store.memory import MemoryStore
from tests.support.records import NOW, PREPARE, advance, claim_step, draft, failed

DAY = 24 * 3600 * 1000


async def test_a_task_goes_when_its_time_is_over_by_the_given_clock() -> None:
    now = NOW
    store = MemoryStore(StoreOptions(keep_tasks=30 * DAY, keep_events=DAY), clock=lambda: now)
    task = await store.tasks.create(draft((1,)))
    await advance(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))
    now = NOW + DAY
    assert await store.tasks.events(task.id) == ()
    now = NOW + 30 * DAY - 1
    assert await store.tasks.head(task.id) is not None
    now += 1
    assert await store.tasks.head(task.id) is None
    assert await store.tasks.withdraw(task.id)


async def test_a_worker_lapses_by_the_given_clock() -> None:
    now = NOW
    store = MemoryStore(clock=lambda: now)
    worker = await store.workers.enrol("worker-1")
    await store.workers.beat(worker, 15_000)
    now += 14_999
    assert await store.workers.alive() == (worker,)
    now += 1
    assert await store.workers.alive() == ()
    assert not (await store.workers.beat(Worker(99, "stranger"), 15_000)).known
