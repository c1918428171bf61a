"""The inventory."""

from dataclasses import replace

from core.host import AgentStatus, HostStatus
from tests.support.records import NOW, PREPARE, entry
from tests.support.scenario import Record

LARGEST = 2**63 - 1


class Inventory:
    async def test_a_host_reads_back_as_it_was_put(self, record: Record) -> None:
        given = entry(LARGEST, key="ssh-ed25519 AAAA", alias="zürich-1")
        await record.hosts.put([given, entry(2)], NOW)
        hosts = await record.hosts.get((2, 5, LARGEST))
        assert hosts.keys() == {2, LARGEST}
        host = hosts[LARGEST]
        assert (host.target, host.alias) == (given.target, "zürich-1")
        assert (host.status, host.agent_status) == (HostStatus.ONLINE, AgentStatus.AVAILABLE)
        assert (host.agent_version, host.holder, host.created, host.updated) == (None, None, NOW, NOW)
        assert (hosts[2].alias, hosts[2].target.host_key) == (None, None)

    async def test_pages_go_by_number_whatever_the_digits(self, record: Record) -> None:
        ids = [1, 2, 10, 999, 2**53, 2**53 + 1, 2**53 + 2, LARGEST - 1, LARGEST]
        await record.hosts.put(map(entry, reversed(ids)), NOW)
        pages = [await record.hosts.page(offset, 4) for offset in (0, 4, 8, 12)]
        assert [[host.target.host_id for host in page.items] for page in pages] == [ids[:4], ids[4:8], ids[8:], []]
        assert {page.total for page in pages} == {9}
        assert (await record.hosts.page(0, 0)).items == ()

    async def test_more_hosts_than_one_call_takes(self, record: Record) -> None:
        await record.hosts.put(map(entry, range(1, 1202)), NOW)
        assert (await record.hosts.page(0, 1)).total == 1201
        assert len(await record.hosts.get(range(1, 1300))) == 1201
        assert await record.hosts.unknown(range(1300, 0, -1)) == tuple(range(1300, 1201, -1))

    async def test_unknown_hosts_are_named_in_the_order_given(self, record: Record) -> None:
        assert await record.hosts.unknown((3, 1)) == (3, 1)
        await record.hosts.put([entry(1), entry(2**53)], NOW)
        assert await record.hosts.unknown((LARGEST, 1, 2**53 + 1, 2**53, 2)) == (LARGEST, 2**53 + 1, 2)
        assert await record.hosts.unknown(()) == ()

    async def test_putting_a_host_again_changes_how_it_is_reached_and_nothing_else(self, record: Record) -> None:
        await record.hosts.put([entry(1, key="ssh-ed25519 OLD", alias="one")], NOW)
        task = await record.accept((1,))
        await task.take(await task.claim(PREPARE), at=NOW + 1)
        held = await record.host(1)
        await record.hosts.put([entry(1, alias="one", address="10.9.9.9")], NOW + 2)
        target = replace(held.target, address="10.9.9.9")
        assert await record.host(1) == replace(held, target=target, updated=NOW + 2)
        await record.hosts.put([entry(1, key="ssh-ed25519 NEW")], NOW + 3)
        after = await record.host(1)
        assert (after.target.host_key, after.alias, after.holder) == ("ssh-ed25519 NEW", None, task.id)

    async def test_an_alias_belongs_to_the_host_that_got_it_last(self, record: Record) -> None:
        await record.hosts.put([entry(1, alias="a"), entry(2, alias="b"), entry(3)], NOW)
        assert await record.hosts.aliases() == {"a": 1, "b": 2}
        await record.hosts.put([entry(3, alias="a")], NOW)
        assert await record.hosts.aliases() == {"a": 3, "b": 2}
        assert (await record.host(1)).alias is None
        await record.hosts.put([entry(2, alias="a"), entry(3, alias="b")], NOW)
        assert await record.hosts.aliases() == {"a": 2, "b": 3}, "two hosts swap their names"
        await record.hosts.put([entry(1, alias="c"), entry(2)], NOW)
        assert await record.hosts.aliases() == {"c": 1, "b": 3}

    async def test_a_pinned_key_stays_unless_it_is_to_be_replaced(self, record: Record) -> None:
        await record.hosts.put([entry(1)], NOW)
        assert await record.hosts.pin(1, "ssh-ed25519 A", NOW + 1, replace=False)
        assert not await record.hosts.pin(1, "ssh-ed25519 B", NOW + 2, replace=False)
        host = await record.host(1)
        assert (host.target.host_key, host.updated) == ("ssh-ed25519 A", NOW + 1)
        assert await record.hosts.pin(1, "ssh-ed25519 B", NOW + 3, replace=True)
        assert (await record.host(1)).target.host_key == "ssh-ed25519 B"
        assert not await record.hosts.pin(2, "ssh-ed25519 C", NOW, replace=True), "there is no such host"
        assert await record.hosts.unknown((2,)) == (2,)
