"""Tasks take hosts and give them back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.claim import Claim, HeldByOther, HostClaim, NotInInventory, StaleClaim, Taken
from core.host import RUNNING, STOPPED, AgentStatus, Host, HostState, HostStatus
from core.status import Operation
from tests.support.records import FIRST_WAIT, NOW, PREPARE, STOP, draft, make_failures, make_successes
from tests.support.scenario import Record, Task

FREE = (AgentStatus.AVAILABLE, HostStatus.ONLINE, None)
OFFLINE = (AgentStatus.OFFLINE, HostStatus.OFFLINE, None)


async def begin(record: Record, *host_ids: int) -> tuple[Task, Sequence[Claim]]:
    """Accept a request and claim its Prepares."""
    task = await record.accept(host_ids)
    return task, await task.claim(PREPARE)


def states(hosts: Mapping[int, Host]) -> dict[int, tuple[AgentStatus, HostStatus, int | None]]:
    return {host_id: (host.agent_status, host.status, host.holder) for host_id, host in hosts.items()}


class Holds:
    async def test_taken_hosts_are_held_and_on_their_way_to_being_stopped(self, record: Record) -> None:
        await record.import_hosts(1, 2, 2**53 + 1)
        task, claims = await begin(record, 1, 2**53 + 1)
        assert await task.take(claims, at=NOW + 1) == Taken()
        hosts = await record.hosts.get((1, 2, 2**53 + 1))
        held = (AgentStatus.STOPPING, HostStatus.OFFLINE, task.id)
        assert states(hosts) == {1: held, 2: FREE, 2**53 + 1: held}
        assert (hosts[1].updated, hosts[2].updated) == (NOW + 1, NOW)

    async def test_one_host_of_another_task_and_none_is_taken(self, record: Record) -> None:
        await record.import_hosts(*range(1, 6))
        winner, theirs = await begin(record, 3)
        await winner.take(theirs)
        task, claims = await begin(record, 1, 2, 3, 4)
        before = await record.hosts.get(range(1, 6))
        assert await task.take(claims) == HeldByOther(3, winner.id)
        assert await record.hosts.get(range(1, 6)) == before

    async def test_one_unknown_host_and_none_is_taken(self, record: Record) -> None:
        await record.import_hosts(1)
        task, claims = await begin(record, 1, 2**62 + 1)
        assert await task.take(claims) == NotInInventory(2**62 + 1)
        assert states(await record.hosts.get((1,))) == {1: FREE}

    async def test_one_stale_claim_and_none_is_taken(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task, claims = await begin(record, 1, 2)
        assert await task.take([claims[0], replace(claims[1], token=77)]) == StaleClaim(1)
        assert states(await record.hosts.get((1, 2))) == {1: FREE, 2: FREE}

    async def test_a_run_that_is_being_cancelled_takes_no_host(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        await record.start_worker()
        task, claims = await begin(record, 1, 2)
        await task.cancel(0)
        assert await task.take(claims) == StaleClaim(0)
        assert states(await record.hosts.get((1, 2))) == {1: FREE, 2: FREE}

    async def test_taking_twice_changes_nothing_the_second_time(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task, claims = await begin(record, 1, 2)
        await task.take(claims[:1], at=NOW + 1)
        assert await task.take(claims, at=NOW + 2) == Taken()
        assert await task.take(claims, at=NOW + 3) == Taken()
        hosts = await record.hosts.get((1, 2))
        assert [hosts[one].updated for one in (1, 2)] == [NOW + 1, NOW + 2]
        assert [hosts[one].holder for one in (1, 2)] == [task.id] * 2
        await task.give_back(claims)
        assert states(await record.hosts.get((1, 2))) == {1: FREE, 2: FREE}, "the former states are still known"

    async def test_of_two_overlapping_takings_exactly_one_wins(self, record: Record) -> None:
        await record.import_hosts(*range(1, 7))
        for _ in range(5):
            (one, ours), (other, theirs) = await begin(record, 1, 2, 3, 4), await begin(record, 4, 5, 6)
            answers = await asyncio.gather(one.take(ours), other.take(theirs))
            assert answers.count(Taken()) == 1
            winner, claims = (one, ours) if answers[0] == Taken() else (other, theirs)
            assert HeldByOther(4, winner.id) in answers
            assert len(await winner.give_back(claims)) == len(claims)

    async def test_hosts_given_back_as_they_were(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        former, first = await begin(record, 1)
        await former.take(first)
        await former.give_back(first, STOPPED)
        task, claims = await begin(record, 1, 2)
        await task.take(claims)
        assert await task.give_back(claims, at=NOW + 5) == (1, 2)
        hosts = await record.hosts.get((1, 2))
        assert states(hosts) == {1: OFFLINE, 2: FREE}
        assert hosts[1].updated == NOW + 5

    async def test_hosts_given_back_with_what_is_true_after_the_work(self, record: Record) -> None:
        await record.import_hosts(1)
        task, claims = await begin(record, 1)
        await task.take(claims)
        assert await task.give_back(claims, STOPPED) == (1,)
        assert states(await record.hosts.get((1,))) == {1: OFFLINE}
        assert await task.give_back(claims, RUNNING) == (), "nothing to free any more"
        assert states(await record.hosts.get((1,))) == {1: OFFLINE}

    async def test_a_host_whose_agent_is_as_it_was_keeps_its_own_status(self, record: Record) -> None:
        await record.import_hosts(1)
        available = HostState(HostStatus.AVAILABLE, AgentStatus.AVAILABLE)

        async def pass_through_a_task(after: HostState) -> HostState:
            task, claims = await begin(record, 1)
            await task.take(claims)
            await task.give_back(claims, after)
            return (await record.host(1)).state

        for state in (HostState(HostStatus.AVAILABLE, AgentStatus.REINSTALLING), RUNNING, STOPPED):
            assert await pass_through_a_task(state) == state
        await pass_through_a_task(available)
        assert await pass_through_a_task(RUNNING) == available

    async def test_nobody_gives_back_what_another_task_holds(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        winner, theirs = await begin(record, 1)
        await winner.take(theirs)
        task, claims = await begin(record, 1, 2, 3)
        assert await task.give_back(claims) == ()
        assert (await record.host(1)).holder == winner.id

    async def test_a_stale_claim_frees_nothing(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task, claims = await begin(record, 1, 2)
        await task.take(claims)
        await task.settle(make_successes(claims[:1]))
        forged = replace(claims[1], token=99)
        assert await task.give_back([claims[0], forged]) == ()
        hosts = await record.hosts.get((1, 2))
        assert [hosts[one].holder for one in (1, 2)] == [task.id] * 2
        assert await task.give_back(claims) == (2,)

    async def test_a_task_that_is_gone_takes_and_frees_nothing(self, record: Record) -> None:
        await record.import_hosts(1)
        gone = record.task(draft((1,)).to_task(77, 1))
        claim = HostClaim(gone.id, 0, Operation.EXECUTE, 1, 1, 1, None, held=True)
        assert await gone.take([claim]) == StaleClaim(0)
        assert await gone.give_back([claim]) == ()
        assert await gone.is_gone()

    async def test_a_later_step_sees_which_hosts_are_held(self, record: Record) -> None:
        await record.import_hosts(1, 2)
        task, claims = await begin(record, 1, 2)
        await task.take(claims)
        await task.give_back(claims[1:])
        await task.settle(make_successes(claims))
        await task.pass_step(FIRST_WAIT)
        later = await task.claim_hosts(STOP)
        assert [claim.held for claim in later] == [True, False]
        await task.settle(make_failures(later))
        assert (await record.host(1)).holder == task.id, "a failed task keeps its hosts"
