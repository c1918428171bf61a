"""Requests that are no task lease hosts, and take them out of the inventory."""

import asyncio

from core.claim import HeldByOther, NotInInventory, Taken
from core.host import STOPPED
from core.lease import HostBusy, Lease, Leased
from tests.support.records import NOW, PREPARE, entry
from tests.support.scenario import Record

STOP = Lease("lease-1", "to stop process monagent of its agent", 60_000)
DELETE = Lease("lease-2", "to delete it", 60_000)
LARGEST = 2**63 - 1


async def hold(record: Record, host_id: int) -> int:
    """Let a task take a host; return its id."""
    task = await record.accept((host_id,))
    assert await task.take(await task.claim(PREPARE)) == Taken()
    return task.id


class Leases:
    async def test_a_leased_host_is_taken_by_nobody_until_it_is_released(self, record: Record) -> None:
        await record.import_hosts(1, LARGEST)
        task = await record.accept((1, LARGEST))
        claims = await task.claim(PREPARE)
        assert await record.hosts.lease((LARGEST,), STOP) == Leased()

        refused = await task.take(claims)
        assert isinstance(refused, HostBusy)
        assert (refused.host_id, refused.purpose) == (LARGEST, STOP.purpose)
        assert 0 < refused.left <= STOP.lasts
        assert (await record.host(1)).holder is None, "all hosts or none"
        busy = await record.hosts.lease((1, LARGEST), DELETE)
        assert isinstance(busy, HostBusy)
        assert busy.purpose == STOP.purpose

        await record.hosts.release((1, LARGEST), DELETE.id)
        assert isinstance(await task.take(claims), HostBusy), "another's lease stays"
        await record.hosts.release((1, LARGEST), STOP.id)
        assert await task.take(claims) == Taken()

    async def test_a_leased_host_is_not_taken_again_by_the_task_that_had_it(self, record: Record) -> None:
        await record.import_hosts(1)
        task = await record.accept((1,))
        claims = await task.claim(PREPARE)
        await task.take(claims)
        await task.give_back(claims, STOPPED)
        await record.hosts.lease((1,), STOP)
        (refused,) = await task.retake(claims)
        assert isinstance(refused, HostBusy)
        assert (refused.host_id, refused.purpose) == (1, STOP.purpose)
        await record.hosts.release((1,), STOP.id)
        assert await task.retake(claims) == (Taken(),)

    async def test_a_lease_can_be_taken_anew_by_its_own(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        assert await record.hosts.lease((1,), STOP) == Leased()
        assert await record.hosts.lease((1, 2), STOP) == Leased()
        assert isinstance(await record.hosts.lease((2,), DELETE), HostBusy)

    async def test_a_lease_lapses(self, record: Record) -> None:
        await record.import_hosts(1)
        assert await record.hosts.lease((1,), Lease("short", "to look", 1)) == Leased()
        await asyncio.sleep(0.01)
        assert await record.hosts.lease((1,), STOP) == Leased()

    async def test_a_host_of_a_task_is_not_leased_nor_is_one_that_there_is_not(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        holder = await hold(record, 2)
        assert await record.hosts.lease((1, 2), STOP) == HeldByOther(2, holder)
        assert await record.hosts.lease((1, 9), STOP) == NotInInventory(9)
        assert await record.hosts.lease((1,), DELETE) == Leased(), "nothing was leased"

    async def test_of_a_task_and_a_lease_at_once_one_gets_the_host(self, record: Record) -> None:
        await record.import_hosts(1)
        for number in range(5):
            task = await record.accept((1,))
            claims = await task.claim(PREPARE)
            lease = Lease(f"lease-{number}", "to test", 60_000)
            taking, leasing = await asyncio.gather(task.take(claims), record.hosts.lease((1,), lease))
            assert (taking == Taken()) != (leasing == Leased())
            await task.give_back(claims)
            await record.hosts.release((1,), lease.id)

    async def test_removed_hosts_leave_nothing_behind(self, record: Record) -> None:
        before = await record.count_keys()
        await record.hosts.put([entry(1, alias="one", key="ssh-ed25519 A"), entry(LARGEST)], NOW)
        assert await record.hosts.lease((1, LARGEST), DELETE) == Leased()
        assert await record.hosts.remove((1, LARGEST, 7), DELETE.id) == (1, LARGEST)
        assert await record.hosts.get((1, LARGEST)) == {}
        assert await record.hosts.unknown((1, LARGEST)) == (1, LARGEST)
        assert await record.hosts.aliases() == {}
        assert (await record.hosts.page(0, 10)).total == 0
        assert await record.count_keys() == before

    async def test_hosts_that_are_held_or_not_leased_are_not_removed(self, record: Record) -> None:
        await record.import_hosts(1, 2, 3)
        await hold(record, 1)
        await record.hosts.lease((2,), STOP)
        assert await record.hosts.remove((1, 2, 3), DELETE.id) == ()
        assert await record.hosts.remove((1, 2, 3)) == (3,)
        assert (await record.hosts.page(0, 10)).total == 2

    async def test_a_task_finds_a_removed_host_missing(self, record: Record) -> None:
        await record.import_hosts(1)
        task = await record.accept((1,))
        assert await record.hosts.remove((1,)) == (1,)
        assert await task.take(await task.claim(PREPARE)) == NotInInventory(1)
