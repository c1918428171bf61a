"""Tasks that are over go, some time later; those that hold hosts stay."""

from core.claim import ClaimVerdict
from core.host import STOPPING
from core.record import TaskRecord
from infra.store.base import Store, StoreOptions
from tests.support.keepers import Keeper
from tests.support.records import (
    FINISH,
    FIRST,
    NOW,
    PREPARE,
    advance,
    claim_step,
    draft,
    entry,
    failed,
    head,
    pass_step,
    settle,
    succeeded,
)
from tests.support.waiting import eventually

BRIEFLY = StoreOptions(keep_tasks=120, keep_events=40)
EVENTS_BRIEFLY = StoreOptions(keep_events=40)


async def _gone(store: Store, task: TaskRecord) -> None:
    async def expired() -> bool:
        return await store.tasks.head(task.id) is None

    await eventually(expired, 10, f"task {task.id} has expired")


class Expiry:
    async def test_a_task_that_ended_goes_with_all_that_belongs_to_it(self, keeper: Keeper) -> None:
        store = keeper.open(BRIEFLY)
        task = await store.tasks.create(draft(range(1, 301)))
        for step in range(FINISH):
            await pass_step(store, task, step)
        last = succeeded(await claim_step(store, task, FINISH))
        await store.tasks.advance(task, task.plan.steps[FINISH], FIRST, NOW, settled=last)
        await _gone(store, task)
        assert await store.tasks.host_ids(task.id) == ()
        assert await store.tasks.subtasks(task) == {}
        assert await store.tasks.logs(task, 300) == ()
        assert await keeper.events(task.id) == []
        settlement, claims = await advance(store, task, FINISH, last, 5)
        assert (claims.verdict, len(settlement.stale)) == (ClaimVerdict.GONE, 300)

    async def test_a_task_that_failed_holding_hosts_stays_until_they_are_free(self, keeper: Keeper) -> None:
        store = keeper.open(BRIEFLY)
        await store.hosts.put([entry(1)], NOW)
        holding = await store.tasks.create(draft((1,)))
        claims = await claim_step(store, holding, PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        await settle(store, holding, PREPARE, failed(claims))
        other = await store.tasks.create(draft((2,)))
        await store.tasks.advance(
            other,
            other.plan.steps[PREPARE],
            FIRST,
            NOW,
            settled=failed(await claim_step(store, other, PREPARE)),
        )
        await _gone(store, other)
        assert (await head(store, holding)).counts
        assert await store.tasks.host_ids(holding.id) == (1,)
        assert await store.tasks.logs(holding, 0)
        assert await keeper.events(holding.id) == [], "its events go nevertheless"

    async def test_a_failed_prepare_that_gave_all_hosts_back_expires(self, keeper: Keeper) -> None:
        store = keeper.open(BRIEFLY)
        await store.hosts.put([entry(1)], NOW)
        task = await store.tasks.create(draft((1,)))
        claims = await claim_step(store, task, PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        await store.tasks.give_back_hosts(claims, NOW, None)
        await store.tasks.advance(task, task.plan.steps[PREPARE], FIRST, NOW, settled=failed(claims))
        await _gone(store, task)

    async def test_events_go_before_the_task(self, keeper: Keeper) -> None:
        store = keeper.open(EVENTS_BRIEFLY)
        task = await store.tasks.create(draft((1,)))
        await settle(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))

        async def events_are_gone() -> bool:
            return not await keeper.events(task.id)

        await eventually(events_are_gone, 10, "the events have expired")
        assert (await head(store, task)).counts
        assert await store.tasks.logs(task, 0)

    async def test_a_running_task_does_not_expire(self, keeper: Keeper) -> None:
        store = keeper.open(BRIEFLY)
        running = await store.tasks.create(draft((1, 2)))
        await pass_step(store, running, PREPARE)
        ended = await store.tasks.create(draft((2,)))
        await store.tasks.advance(
            ended,
            ended.plan.steps[PREPARE],
            FIRST,
            NOW,
            settled=failed(await claim_step(store, ended, PREPARE)),
        )
        await _gone(store, ended)
        assert (await head(store, running)).opened == 1
        assert await keeper.events(running.id)
