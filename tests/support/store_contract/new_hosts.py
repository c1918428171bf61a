"""Hosts are added, each with a task of its own."""

import asyncio
from dataclasses import replace

from core.host import AgentStatus, HostDetails, HostKind, HostStatus, Target
from core.record import Draft
from core.status import Status
from core.task_types.prepare_host import TASK_TYPE
from infra.store.host_values import AlreadyThere, HostsAdded, NewHost
from infra.store.task_values import KeyTaken, Once, TaskQuery
from tests.support.records import NOW, draft, entry
from tests.support.scenario import Record

DETAILS = HostDetails(HostKind.DEDICATED_CONTAINER, 100, 2**62, "8080:8080", "6CU4120W67", "Rack 4\nrow 2")
ONCE = Once("key", "ab12")


def new(number: int, alias: str | None = None, details: HostDetails | None = None) -> NewHost:
    target = Target(0, f"10.2.0.{number}", 22, "admin", "/home/admin/ocp_agent", "ocp", sudo=True, host_key=None)
    return NewHost(target, alias, details or HostDetails())


def request() -> Draft:
    return replace(draft(()), task_type=TASK_TYPE)


async def add(record: Record, *hosts: NewHost, once: Once | None = None) -> HostsAdded:
    added = await record.tasks.create_with_hosts(hosts, request(), once)
    assert isinstance(added, HostsAdded), added
    return added


async def refuse(record: Record, *hosts: NewHost) -> AlreadyThere:
    """Ask for hosts that cannot be added and return why."""
    refused = await record.tasks.create_with_hosts(hosts, request(), None)
    assert isinstance(refused, AlreadyThere), refused
    return refused


class NewHosts:
    async def test_hosts_and_their_tasks(self, record: Record) -> None:
        added = await add(record, new(1, "web-1", DETAILS), new(2))
        assert (added.host_ids, added.known) == ((1, 2), False)
        hosts = await record.hosts.get((1, 2))
        one = hosts[1]
        assert one.target == replace(new(1).target, host_id=1)
        assert (one.alias, one.details, one.agent_version, one.holder) == ("web-1", DETAILS, None, None)
        assert (one.status, one.agent_status) == (HostStatus.NEW, AgentStatus.DELETED)
        assert (one.created, one.updated) == (NOW, NOW)
        assert (hosts[2].alias, hosts[2].details) == (None, HostDetails())
        assert await record.hosts.aliases() == {"web-1": 1}
        assert await record.hosts.unknown((1, 2)) == ()
        for task, host_id in zip(added.tasks, added.host_ids, strict=True):
            assert await record.tasks.head(task.id) == task
            assert await record.tasks.host_ids(task.id) == (host_id,)
            claims = await record.task(task).claim_hosts(0)
            assert [(claim.host_id, claim.target) for claim in claims] == [(host_id, hosts[host_id].target)]
            found = await record.tasks.page(TaskQuery(host_id=host_id), NOW)
            assert [listed.id for listed in found.items] == [task.id]
        first, second = added.tasks
        assert second.first_subtask_id == first.first_subtask_id + first.plan.size
        assert dict(first.derive_subtasks({}))[0].status is Status.READY

    async def test_ids_are_those_of_nobody_else(self, record: Record) -> None:
        await record.hosts.put([entry(7), entry(2**62)], NOW)
        assert (await add(record, new(1))).host_ids == (8,)
        await record.hosts.put([entry(9), entry(3)], NOW)
        assert (await add(record, new(2), new(3))).host_ids == (10, 11)
        await record.hosts.remove((11,))
        assert (await add(record, new(3))).host_ids == (12,), "an id is never given twice"

    async def test_a_host_that_is_there_or_a_taken_alias_and_nothing_is_added(self, record: Record) -> None:
        await add(record, new(1, "web-1"))
        assert await refuse(record, new(2), new(1)) == AlreadyThere(1, 1, by_alias=False)
        assert await refuse(record, new(2, "web-1")) == AlreadyThere(0, 1, by_alias=True)
        assert (await record.hosts.page(0, 10)).total == 1
        assert (await record.tasks.page(TaskQuery(), NOW)).total == 1
        await record.hosts.remove((1,))
        assert (await add(record, new(1, "web-1"))).host_ids == (2,)

    async def test_an_imported_host_is_there_too_as_long_as_it_is_reached_so(self, record: Record) -> None:
        imported = entry(5, address="10.2.0.1")
        await record.hosts.put([imported], NOW)
        assert await refuse(record, new(1)) == AlreadyThere(0, 5, by_alias=False)
        await record.hosts.put([entry(5, address="10.2.0.9")], NOW)
        assert (await add(record, new(1))).host_ids == (6,)

    async def test_the_same_request_again_is_the_same_tasks(self, record: Record) -> None:
        hosts = (new(1), new(2))
        answers = await asyncio.gather(
            *(record.tasks.create_with_hosts(hosts, request(), ONCE) for _ in range(10)),
        )
        added = [answer for answer in answers if isinstance(answer, HostsAdded)]
        assert len(added) == len(answers)
        assert sum(not answer.known for answer in added) == 1
        assert all((answer.tasks, answer.host_ids) == (added[0].tasks, added[0].host_ids) for answer in added)
        assert (await record.hosts.page(0, 10)).total == 2
        other = Once(ONCE.key, "cd34")
        assert await record.tasks.create_with_hosts(hosts, request(), other) == KeyTaken()

    async def test_a_withdrawn_request_can_be_made_again(self, record: Record) -> None:
        added = await add(record, new(1), new(2), once=ONCE)
        for task in added.tasks:
            assert await record.tasks.withdraw(task.id)
        assert await record.hosts.remove(added.host_ids) == added.host_ids
        again = await add(record, new(1), new(2), once=ONCE)
        assert not again.known
        assert again.host_ids == (3, 4)

    async def test_a_version_is_noted(self, record: Record) -> None:
        await add(record, new(1))
        await record.hosts.note_version(1, "4.2.2", NOW + 5)
        host = await record.host(1)
        assert (host.agent_version, host.updated) == ("4.2.2", NOW + 5)
        await record.hosts.note_version(9, "4.2.2", NOW)
        assert await record.hosts.get((9,)) == {}
