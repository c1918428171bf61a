"""Lists of hosts that fulfil conditions."""

from core.host import STOPPING, HostDetails, HostStatus
from infra.store.base import HostQuery, Store
from tests.support.keepers import Keeper
from tests.support.records import NOW, PREPARE, claim_step, draft, entry
from tests.support.store_contract.new_hosts import add, new


async def found(store: Store, query: HostQuery, offset: int = 0, limit: int = 10) -> tuple[list[int], int]:
    page = await store.hosts.page(offset, limit, query)
    return [host.target.host_id for host in page.hosts], page.total


class HostLists:
    async def test_hosts_by_status_keyword_and_agent(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1, alias="Web-1"), entry(2, alias="web-2"), entry(3, alias="db-1")], NOW)
        details = HostDetails(serial_number="6CU4120W67", description="100%\nÄpfel [x]")
        await add(store, new(4, details=details))
        task = await store.tasks.create(draft((2,)))
        await store.tasks.take_hosts(await claim_step(store, task, PREPARE), NOW, STOPPING)

        online = frozenset({HostStatus.ONLINE})
        assert await found(store, HostQuery(online)) == ([1, 3], 2)
        assert await found(store, HostQuery(frozenset({HostStatus.OFFLINE, HostStatus.NEW}))) == ([2, 4], 2)
        assert await found(store, HostQuery(frozenset())) == ([], 0)
        assert await found(store, HostQuery(keyword="WEB-")) == ([1, 2], 2)
        assert await found(store, HostQuery(keyword="10.1.0.3")) == ([3], 1)
        assert await found(store, HostQuery(keyword="6cu4")) == ([4], 1)
        assert await found(store, HostQuery(keyword="%\nÄpfel [")) == ([4], 1), "no pattern"
        assert await found(store, HostQuery(keyword="äpfel")) == ([], 0), "case matters beyond a to z"
        assert await found(store, HostQuery(keyword="1")) == ([1, 2, 3, 4], 4)
        assert await found(store, HostQuery(with_agent=False)) == ([4], 1)
        assert await found(store, HostQuery(with_agent=True)) == ([1, 2, 3], 3)
        assert await found(store, HostQuery(online, "web", with_agent=True)) == ([1], 1)

    async def test_pages_and_order(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(one, alias=f"web-{one}") for one in (*range(1, 1102), 2**63 - 1)], NOW)
        down = HostQuery(ascending=False)
        assert await found(store, down, 0, 2) == ([2**63 - 1, 1101], 1102)
        assert await found(store, down, 1100, 5) == ([2, 1], 1102)
        assert await found(store, HostQuery(keyword="web-11"), 0, 3) == ([11, 110, 111], 13)
        assert await found(store, HostQuery(keyword="web-11", ascending=False), 11, 9) == ([110, 11], 13)
