"""Requests that are no task lease hosts, and take them out of the inventory."""

import asyncio

from core.claim import HeldByOther, Missing, Taken
from core.host import STOPPED, STOPPING
from core.lease import HostBusy, Lease, Leased
from tests.support.keepers import Keeper
from tests.support.records import NOW, PREPARE, claim_step, draft, entry

STOP = Lease("lease-1", "to stop process monagent of its agent", 60_000)
DELETE = Lease("lease-2", "to delete it", 60_000)
LARGEST = 2**63 - 1


class Leases:
    async def test_a_leased_host_is_taken_by_nobody_until_it_is_released(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(LARGEST)], NOW)
        task = await store.tasks.create(draft((1, LARGEST)))
        claims = await claim_step(store, task, PREPARE)
        assert await store.hosts.lease((LARGEST,), STOP) == Leased()

        refused = await store.tasks.take_hosts(claims, NOW, STOPPING)
        assert isinstance(refused, HostBusy)
        assert (refused.host_id, refused.purpose) == (LARGEST, STOP.purpose)
        assert 0 < refused.left <= STOP.lasts
        assert (await store.hosts.get((1,)))[1].holder is None, "all hosts or none"
        busy = await store.hosts.lease((1, LARGEST), DELETE)
        assert isinstance(busy, HostBusy)
        assert busy.purpose == STOP.purpose

        await store.hosts.release((1, LARGEST), DELETE.id)
        assert isinstance(await store.tasks.take_hosts(claims, NOW, STOPPING), HostBusy), "another's lease stays"
        await store.hosts.release((1, LARGEST), STOP.id)
        assert await store.tasks.take_hosts(claims, NOW, STOPPING) == Taken()

    async def test_a_leased_host_is_not_taken_again_by_the_task_that_had_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        claims = await claim_step(store, await store.tasks.create(draft((1,))), PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        await store.tasks.give_back_hosts(claims, NOW, STOPPED)
        await store.hosts.lease((1,), STOP)
        (refused,) = await store.tasks.retake_hosts(claims, NOW, STOPPING)
        assert isinstance(refused, HostBusy)
        assert (refused.host_id, refused.purpose) == (1, STOP.purpose)
        await store.hosts.release((1,), STOP.id)
        assert await store.tasks.retake_hosts(claims, NOW, STOPPING) == (Taken(),)

    async def test_a_lease_can_be_taken_anew_by_its_own(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        assert await store.hosts.lease((1,), STOP) == Leased()
        assert await store.hosts.lease((1, 2), STOP) == Leased()
        assert isinstance(await store.hosts.lease((2,), DELETE), HostBusy)

    async def test_a_lease_lapses(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        assert await store.hosts.lease((1,), Lease("short", "to look", 1)) == Leased()
        await asyncio.sleep(0.01)
        assert await store.hosts.lease((1,), STOP) == Leased()

    async def test_a_host_of_a_task_is_not_leased_nor_is_one_that_there_is_not(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        task = await store.tasks.create(draft((2,)))
        await store.tasks.take_hosts(await claim_step(store, task, PREPARE), NOW, STOPPING)
        assert await store.hosts.lease((1, 2), STOP) == HeldByOther(2, task.id)
        assert await store.hosts.lease((1, 9), STOP) == Missing(9)
        assert await store.hosts.lease((1,), DELETE) == Leased(), "nothing was leased"

    async def test_of_a_task_and_a_lease_at_once_one_gets_the_host(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        for number in range(5):
            claims = await claim_step(store, await store.tasks.create(draft((1,))), PREPARE)
            lease = Lease(f"lease-{number}", "to test", 60_000)
            taking, leasing = await asyncio.gather(
                store.tasks.take_hosts(claims, NOW, STOPPING), store.hosts.lease((1,), lease)
            )
            assert (taking == Taken()) != (leasing == Leased())
            await store.tasks.give_back_hosts(claims, NOW, None)
            await store.hosts.release((1,), lease.id)

    async def test_removed_hosts_leave_nothing_behind(self, keeper: Keeper) -> None:
        store = keeper.open()
        before = await keeper.size()
        await store.hosts.put([entry(1, alias="one", key="ssh-ed25519 A"), entry(LARGEST)], NOW)
        assert await store.hosts.lease((1, LARGEST), DELETE) == Leased()
        assert await store.hosts.remove((1, LARGEST, 7), DELETE.id) == (1, LARGEST)
        assert await store.hosts.get((1, LARGEST)) == {}
        assert await store.hosts.unknown((1, LARGEST)) == (1, LARGEST)
        assert await store.hosts.aliases() == {}
        assert (await store.hosts.page(0, 10)).total == 0
        assert await keeper.size() == before

    async def test_hosts_that_are_held_or_not_leased_are_not_removed(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(one) for one in (1, 2, 3)], NOW)
        task = await store.tasks.create(draft((1,)))
        await store.tasks.take_hosts(await claim_step(store, task, PREPARE), NOW, STOPPING)
        await store.hosts.lease((2,), STOP)
        assert await store.hosts.remove((1, 2, 3), DELETE.id) == ()
        assert await store.hosts.remove((1, 2, 3)) == (3,)
        assert (await store.hosts.page(0, 10)).total == 2

    async def test_a_task_finds_a_removed_host_missing(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        task = await store.tasks.create(draft((1,)))
        assert await store.hosts.remove((1,)) == (1,)
        assert await store.tasks.take_hosts(await claim_step(store, task, PREPARE), NOW, STOPPING) == Missing(1)
