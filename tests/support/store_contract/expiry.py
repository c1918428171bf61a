"""Tasks that are over go, some time later; those that hold hosts stay."""

from core.claim import ClaimVerdict
from infra.store.task_values import ClaimRequest, TaskQuery
from infra.store.values import StoreOptions
from tests.support.fake_store import let_pass
from tests.support.records import FINISH, NOW, PREPARE, make_successes
from tests.support.scenario import Record
from tests.support.waiting import eventually

BRIEFLY = StoreOptions(keep_tasks=120, keep_events=40)
EVENTS_BRIEFLY = StoreOptions(keep_events=40)


DAY = 24 * 3600 * 1000
MARGIN = 10_000
"""Milliseconds that a test itself may take: real time passes for the store, too."""


class Expiry:
    async def test_a_task_goes_when_its_time_is_over(self, record: Record) -> None:
        record.configure(StoreOptions(keep_tasks=30 * DAY, keep_events=DAY))
        task = await record.accept((1,))
        await task.fail_step(PREPARE)
        await let_pass(record, DAY - MARGIN)
        assert await task.events() != ()
        await let_pass(record, MARGIN)
        assert await task.events() == ()
        await let_pass(record, 29 * DAY - MARGIN)
        assert not await task.is_gone()
        await let_pass(record, MARGIN)
        assert await task.is_gone()
        assert (await record.tasks.page(TaskQuery(), NOW + 30 * DAY)).total == 0
        assert await task.withdraw()

    async def test_a_task_that_ended_goes_with_all_that_belongs_to_it(self, record: Record) -> None:
        record.configure(BRIEFLY)
        task = await record.accept(range(1, 301))
        await task.pass_steps_before(FINISH)
        last = await task.claim(FINISH)
        await task.succeed(last)
        await task.wait_until_gone()
        assert await task.host_ids() == ()
        assert await task.subtasks() == {}
        assert await task.logs(300) == ()
        assert await task.raw_events() == []
        settlement, claims = await task.advance(FINISH, make_successes(last), ClaimRequest(5))
        assert (claims.verdict, len(settlement.stale)) == (ClaimVerdict.GONE, 300)

    async def test_a_task_that_failed_holding_hosts_stays_until_they_are_free(self, record: Record) -> None:
        record.configure(BRIEFLY)
        await record.import_hosts(1)
        holder = await record.accept((1,))
        claims = await holder.claim(PREPARE)
        await holder.take(claims)
        await holder.fail(claims)
        other = await record.accept((2,))
        await other.fail_step(PREPARE)
        await other.wait_until_gone()
        assert (await holder.head()).counts
        assert await holder.host_ids() == (1,)
        assert await holder.logs(0)
        assert await holder.raw_events() == [], "its events go nevertheless"

    async def test_a_failed_prepare_that_gave_all_hosts_back_expires(self, record: Record) -> None:
        record.configure(BRIEFLY)
        await record.import_hosts(1)
        task = await record.accept((1,))
        claims = await task.claim(PREPARE)
        await task.take(claims)
        await task.give_back(claims)
        await task.fail(claims)
        await task.wait_until_gone()

    async def test_events_go_before_the_task(self, record: Record) -> None:
        record.configure(EVENTS_BRIEFLY)
        task = await record.accept((1,))
        await task.fail_step(PREPARE)

        async def events_are_gone() -> bool:
            return not await task.raw_events()

        await eventually(events_are_gone, 10, "the events have expired")
        assert (await task.head()).counts
        assert await task.logs(0)

    async def test_a_running_task_does_not_expire(self, record: Record) -> None:
        record.configure(BRIEFLY)
        running = await record.accept((1, 2))
        await running.pass_step(PREPARE)
        ended = await record.accept((2,))
        await ended.fail_step(PREPARE)
        await ended.wait_until_gone()
        assert (await running.head()).opened == 1
        assert await running.raw_events()
