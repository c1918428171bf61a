"""Protected hosts: no task takes them, and nobody leases or removes them."""

from core.brake import Brake
from core.claim import HeldByOther, Missing, Protected, Taken
from core.host import STOPPED, STOPPING
from core.lease import HostBusy, Lease, Leased
from infra.store.base import Standing
from tests.support.keepers import Keeper
from tests.support.records import NOW, PREPARE, claim_step, draft, entry

LEASE = Lease("lease-1", "to delete it", 60_000)
LARGEST = 2**63 - 1


class Protection:
    async def test_a_protected_host_shows_it_until_the_protection_is_lifted(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2), entry(LARGEST)], NOW)
        assert await store.hosts.protect((2, LARGEST), NOW + 1) == Protected(LARGEST)
        hosts = await store.hosts.get((1, 2, LARGEST))
        assert [(host.protected, host.updated) for host in hosts.values()] == [
            (False, NOW),
            (True, NOW + 1),
            (True, NOW + 1),
        ]
        assert (await store.hosts.standing((LARGEST, 7, 1, 2))).protected == (LARGEST, 2)
        assert (await store.hosts.standing(())).protected == ()
        assert await store.hosts.protect((2,), NOW + 2) == Protected(2)
        assert (await store.hosts.get((2,)))[2].updated == NOW + 1, "it was protected already"
        await store.hosts.put([entry(2, alias="b")], NOW + 3)
        assert (await store.hosts.get((2,)))[2].protected, "an import changes how a host is reached"
        assert await store.hosts.unprotect((1, 2, 7), NOW + 4) == (2,)
        found = (await store.hosts.get((2,)))[2]
        assert (found.protected, found.updated) == (False, NOW + 4)
        assert await store.hosts.unprotect((2,), NOW + 5) == ()

    async def test_one_look_says_all_that_stands_in_the_way(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(host_id) for host_id in range(1, 1301)], NOW)
        await store.hosts.protect((1300, 7), NOW)
        assert await store.hosts.standing(()) == Standing((), (), braked=False)
        assert await store.hosts.standing((2, LARGEST, 7)) == Standing((LARGEST,), (7,), braked=False)
        await store.brake.pull(Brake("night-shift", NOW, "smoke"))
        asked = (LARGEST, *range(1301, 0, -1))
        assert await store.hosts.standing(asked) == Standing((LARGEST, 1301), (1300, 7), braked=True)

    async def test_nobody_takes_leases_or_removes_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(LARGEST)], NOW)
        claims = await claim_step(store, await store.tasks.create(draft((1, LARGEST))), PREPARE)
        await store.hosts.protect((LARGEST,), NOW)
        assert await store.tasks.take_hosts(claims, NOW, STOPPING) == Protected(LARGEST)
        assert (await store.hosts.get((1,)))[1].holder is None, "all hosts or none"
        assert await store.hosts.lease((1, LARGEST), LEASE) == Protected(LARGEST)
        assert await store.hosts.lease((1,), LEASE) == Leased()
        assert await store.hosts.remove((LARGEST,)) == ()
        await store.hosts.release((1,), LEASE.id)
        await store.hosts.unprotect((LARGEST,), NOW)
        assert await store.tasks.take_hosts(claims, NOW, STOPPING) == Taken()

    async def test_it_is_not_taken_again_by_the_task_that_had_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        claims = await claim_step(store, await store.tasks.create(draft((1, 2))), PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        await store.tasks.give_back_hosts(claims, NOW, STOPPED)
        await store.hosts.protect((1,), NOW)
        assert await store.tasks.retake_hosts(claims, NOW, STOPPING) == (Protected(1), Taken())
        await store.hosts.unprotect((1,), NOW)
        assert await store.tasks.retake_hosts(claims, NOW, STOPPING) == (Taken(), Taken())

    async def test_what_somebody_has_is_not_protected(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2), entry(3)], NOW)
        task = await store.tasks.create(draft((1,)))
        await store.tasks.take_hosts(await claim_step(store, task, PREPARE), NOW, STOPPING)
        await store.hosts.lease((2,), LEASE)
        assert await store.hosts.protect((3, 1), NOW) == HeldByOther(1, task.id)
        assert isinstance(await store.hosts.protect((3, 2), NOW), HostBusy)
        assert await store.hosts.protect((3, 7), NOW) == Missing(7)
        assert (await store.hosts.standing((1, 2, 3, 7))).protected == (), "all hosts or none"
