"""Protected hosts: no task takes them, and nobody leases or removes them."""

from core.brake import Brake
from core.claim import HeldByOther, NotInInventory, Protected, Taken
from core.host import STOPPED
from core.lease import HostBusy, Lease, Leased
from infra.store.host_values import Obstacles
from tests.support.records import NOW, PREPARE, entry
from tests.support.scenario import Record

LEASE = Lease("lease-1", "to delete it", 60_000)
LARGEST = 2**63 - 1


class Protection:
    async def test_a_protected_host_shows_it_until_the_protection_is_lifted(self, record: Record) -> None:
        await record.import_hosts(1, 2, LARGEST)
        assert await record.hosts.protect((2, LARGEST), NOW + 1) == Protected(LARGEST)
        hosts = await record.hosts.get((1, 2, LARGEST))
        assert [(host.protected, host.updated) for host in hosts.values()] == [
            (False, NOW),
            (True, NOW + 1),
            (True, NOW + 1),
        ]
        assert (await record.hosts.find_obstacles((LARGEST, 7, 1, 2))).protected == (LARGEST, 2)
        assert (await record.hosts.find_obstacles(())).protected == ()
        assert await record.hosts.protect((2,), NOW + 2) == Protected(2)
        assert (await record.host(2)).updated == NOW + 1, "it was protected already"
        await record.hosts.put([entry(2, alias="b")], NOW + 3)
        assert (await record.host(2)).protected, "an import changes how a host is reached"
        assert await record.hosts.unprotect((1, 2, 7), NOW + 4) == (2,)
        found = await record.host(2)
        assert (found.protected, found.updated) == (False, NOW + 4)
        assert await record.hosts.unprotect((2,), NOW + 5) == ()

    async def test_one_look_says_all_that_stands_in_the_way(self, record: Record) -> None:
        await record.import_hosts(*range(1, 1301))
        await record.hosts.protect((1300, 7), NOW)
        assert await record.hosts.find_obstacles(()) == Obstacles((), (), braked=False)
        assert await record.hosts.find_obstacles((2, LARGEST, 7)) == Obstacles((LARGEST,), (7,), braked=False)
        await record.brake.pull(Brake("night-shift", NOW, "smoke"))
        asked = (LARGEST, *range(1301, 0, -1))
        assert await record.hosts.find_obstacles(asked) == Obstacles((LARGEST, 1301), (1300, 7), braked=True)

    async def test_nobody_takes_leases_or_removes_it(self, record: Record) -> None:
        await record.import_hosts(1, LARGEST)
        task = await record.accept((1, LARGEST))
        claims = await task.claim(PREPARE)
        await record.hosts.protect((LARGEST,), NOW)
        assert await task.take(claims) == Protected(LARGEST)
        assert (await record.host(1)).holder is None, "all hosts or none"
        assert await record.hosts.lease((1, LARGEST), LEASE) == Protected(LARGEST)
        assert await record.hosts.lease((1,), LEASE) == Leased()
        assert await record.hosts.remove((LARGEST,)) == ()
        await record.hosts.release((1,), LEASE.id)
        await record.hosts.unprotect((LARGEST,), NOW)
        assert await task.take(claims) == Taken()

    async def test_it_is_not_taken_again_by_the_task_that_had_it(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task = await record.accept((1, 2))
        claims = await task.claim(PREPARE)
        await task.take(claims)
        await task.give_back(claims, STOPPED)
        await record.hosts.protect((1,), NOW)
        assert await task.retake(claims) == (Protected(1), Taken())
        await record.hosts.unprotect((1,), NOW)
        assert await task.retake(claims) == (Taken(), Taken())

    async def test_what_somebody_has_is_not_protected(self, record: Record) -> None:
        await record.import_hosts(1, 2, 3)
        task = await record.accept((1,))
        await task.take(await task.claim(PREPARE))
        await record.hosts.lease((2,), LEASE)
        assert await record.hosts.protect((3, 1), NOW) == HeldByOther(1, task.id)
        assert isinstance(await record.hosts.protect((3, 2), NOW), HostBusy)
        assert await record.hosts.protect((3, 7), NOW) == NotInInventory(7)
        assert (await record.hosts.find_obstacles((1, 2, 3, 7))).protected == (), "all hosts or none"
