"""Tasks take hosts and give them back."""

import asyncio
from dataclasses import replace

from core.claim import Claim, HeldByOther, Missing, StaleClaim, Taken, Taking
from core.host import RUNNING, STOPPED, STOPPING, AgentStatus, Host, HostState, HostStatus
from core.record import TaskRecord
from core.status import Operation
from infra.store.base import Store
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    STOP,
    claim_step,
    draft,
    entry,
    failed,
    pass_step,
    settle,
    succeeded,
)


async def _started(store: Store, *host_ids: int) -> tuple[TaskRecord, list[Claim]]:
    task = await store.tasks.create(draft(host_ids))
    return task, await claim_step(store, task, PREPARE)


async def _take(store: Store, claims: list[Claim], now: int = NOW + 1) -> Taking:
    return await store.tasks.take_hosts(claims, now, STOPPING)


def _states(hosts: dict[int, Host]) -> dict[int, tuple[AgentStatus, HostStatus, int | None]]:
    return {host_id: (host.agent_status, host.status, host.holder) for host_id, host in hosts.items()}


FREE = (AgentStatus.AVAILABLE, HostStatus.ONLINE, None)


class Holds:
    async def test_taken_hosts_are_held_and_on_their_way_to_being_stopped(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(one) for one in (1, 2, 2**53 + 1)], NOW)
        task, claims = await _started(store, 1, 2**53 + 1)
        assert await _take(store, claims) == Taken()
        hosts = await store.hosts.get((1, 2, 2**53 + 1))
        held = (AgentStatus.STOPPING, HostStatus.OFFLINE, task.id)
        assert _states(hosts) == {1: held, 2: FREE, 2**53 + 1: held}
        assert (hosts[1].updated, hosts[2].updated) == (NOW + 1, NOW)

    async def test_one_host_of_another_task_and_none_is_taken(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put(map(entry, range(1, 6)), NOW)
        winner, theirs = await _started(store, 3)
        await _take(store, theirs)
        _, claims = await _started(store, 1, 2, 3, 4)
        before = await store.hosts.get(range(1, 6))
        assert await _take(store, claims) == HeldByOther(3, winner.id)
        assert await store.hosts.get(range(1, 6)) == before

    async def test_one_unknown_host_and_none_is_taken(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        _, claims = await _started(store, 1, 2**62 + 1)
        assert await _take(store, claims) == Missing(2**62 + 1)
        assert _states(await store.hosts.get((1,))) == {1: FREE}

    async def test_one_stale_claim_and_none_is_taken(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        _, claims = await _started(store, 1, 2)
        assert await _take(store, [claims[0], replace(claims[1], token=77)]) == StaleClaim(1)
        assert _states(await store.hosts.get((1, 2))) == {1: FREE, 2: FREE}

    async def test_taking_twice_changes_nothing_the_second_time(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        task, claims = await _started(store, 1, 2)
        await _take(store, claims[:1])
        assert await _take(store, claims, now=NOW + 2) == Taken()
        assert await _take(store, claims, now=NOW + 3) == Taken()
        hosts = await store.hosts.get((1, 2))
        assert [hosts[one].updated for one in (1, 2)] == [NOW + 1, NOW + 2]
        assert [hosts[one].holder for one in (1, 2)] == [task.id] * 2
        await store.tasks.give_back_hosts(claims, NOW, None)
        assert _states(await store.hosts.get((1, 2))) == {1: FREE, 2: FREE}, "the former states are still known"

    async def test_of_two_overlapping_takings_exactly_one_wins(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put(map(entry, range(1, 7)), NOW)
        for _ in range(5):
            one, other = await _started(store, 1, 2, 3, 4), await _started(store, 4, 5, 6)
            answers = await asyncio.gather(_take(store, one[1]), _take(store, other[1]))
            assert answers.count(Taken()) == 1
            winner = one if answers[0] == Taken() else other
            assert HeldByOther(4, winner[0].id) in answers
            assert len(await store.tasks.give_back_hosts(winner[1], NOW, None)) == len(winner[1])

    async def test_hosts_given_back_as_they_were(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        _, first = await _started(store, 1)
        await _take(store, first)
        await store.tasks.give_back_hosts(first, NOW, STOPPED)
        _, claims = await _started(store, 1, 2)
        await _take(store, claims)
        assert await store.tasks.give_back_hosts(claims, NOW + 5, None) == (1, 2)
        hosts = await store.hosts.get((1, 2))
        assert _states(hosts) == {1: (AgentStatus.OFFLINE, HostStatus.OFFLINE, None), 2: FREE}
        assert hosts[1].updated == NOW + 5

    async def test_hosts_given_back_with_what_is_true_after_the_work(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        _, claims = await _started(store, 1)
        await _take(store, claims)
        assert await store.tasks.give_back_hosts(claims, NOW, STOPPED) == (1,)
        assert _states(await store.hosts.get((1,))) == {1: (AgentStatus.OFFLINE, HostStatus.OFFLINE, None)}
        assert await store.tasks.give_back_hosts(claims, NOW, RUNNING) == (), "nothing to free any more"
        assert _states(await store.hosts.get((1,))) == {1: (AgentStatus.OFFLINE, HostStatus.OFFLINE, None)}

    async def test_a_host_whose_agent_is_as_it_was_keeps_its_own_status(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        idle = HostState(HostStatus.AVAILABLE, AgentStatus.REINSTALLING)
        for given, state in ((idle, idle), (RUNNING, RUNNING), (STOPPED, STOPPED)):
            _, claims = await _started(store, 1)
            await _take(store, claims)
            await store.tasks.give_back_hosts(claims, NOW, given)
            assert (await store.hosts.get((1,)))[1].state == state
        _, claims = await _started(store, 1)
        await _take(store, claims)
        await store.tasks.give_back_hosts(claims, NOW, HostState(HostStatus.AVAILABLE, AgentStatus.AVAILABLE))
        _, claims = await _started(store, 1)
        await _take(store, claims)
        await store.tasks.give_back_hosts(claims, NOW, RUNNING)
        assert (await store.hosts.get((1,)))[1].state == HostState(HostStatus.AVAILABLE, AgentStatus.AVAILABLE)

    async def test_nobody_gives_back_what_another_task_holds(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        winner, theirs = await _started(store, 1)
        await _take(store, theirs)
        _, claims = await _started(store, 1, 2, 3)
        assert await store.tasks.give_back_hosts(claims, NOW, None) == ()
        assert (await store.hosts.get((1,)))[1].holder == winner.id

    async def test_a_stale_claim_frees_nothing(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        task, claims = await _started(store, 1, 2)
        await _take(store, claims)
        await settle(store, task, PREPARE, succeeded(claims[:1]))
        forged = replace(claims[1], token=99)
        assert await store.tasks.give_back_hosts([claims[0], forged], NOW, None) == ()
        hosts = await store.hosts.get((1, 2))
        assert [hosts[one].holder for one in (1, 2)] == [task.id] * 2
        assert await store.tasks.give_back_hosts(claims, NOW, None) == (2,)

    async def test_a_task_that_is_gone_takes_and_frees_nothing(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        claim = Claim(77, 0, Operation.EXECUTE, 1, 1, 1, None, held=True)
        assert await _take(store, [claim]) == StaleClaim(0)
        assert await store.tasks.give_back_hosts([claim], NOW, None) == ()
        assert await store.tasks.head(77) is None

    async def test_a_later_step_sees_which_hosts_are_held(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1), entry(2)], NOW)
        task, claims = await _started(store, 1, 2)
        await _take(store, claims)
        await store.tasks.give_back_hosts(claims[1:], NOW, None)
        await settle(store, task, PREPARE, succeeded(claims))
        await pass_step(store, task, FIRST_WAIT)
        later = await claim_step(store, task, STOP)
        assert [claim.held for claim in later] == [True, False]
        await settle(store, task, STOP, failed(later))
        assert (await store.hosts.get((1,)))[1].holder == task.id, "a failed task keeps its hosts"
