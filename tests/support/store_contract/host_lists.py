"""Lists of hosts that fulfil conditions."""

from core.host import HostDetails, HostStatus
from infra.store.host_values import HostQuery
from tests.support.records import NOW, PREPARE, entry
from tests.support.scenario import Record
from tests.support.store_contract.new_hosts import add, new


async def find(record: Record, query: HostQuery, offset: int = 0, limit: int = 10) -> tuple[list[int], int]:
    page = await record.hosts.page(offset, limit, query)
    return [host.target.host_id for host in page.items], page.total


class HostLists:
    async def test_hosts_by_status_keyword_and_agent(self, record: Record) -> None:
        await record.hosts.put([entry(1, alias="Web-1"), entry(2, alias="web-2"), entry(3, alias="db-1")], NOW)
        details = HostDetails(serial_number="6CU4120W67", description="100%\nÄpfel [x]")
        await add(record, new(4, details=details))
        task = await record.accept((2,))
        await task.take(await task.claim(PREPARE))

        online = frozenset({HostStatus.ONLINE})
        assert await find(record, HostQuery(online)) == ([1, 3], 2)
        assert await find(record, HostQuery(frozenset({HostStatus.OFFLINE, HostStatus.NEW}))) == ([2, 4], 2)
        assert await find(record, HostQuery(frozenset())) == ([], 0)
        assert await find(record, HostQuery(keyword="WEB-")) == ([1, 2], 2)
        assert await find(record, HostQuery(keyword="10.1.0.3")) == ([3], 1)
        assert await find(record, HostQuery(keyword="6cu4")) == ([4], 1)
        assert await find(record, HostQuery(keyword="%\nÄpfel [")) == ([4], 1), "no pattern"
        assert await find(record, HostQuery(keyword="äpfel")) == ([], 0), "case matters beyond a to z"
        assert await find(record, HostQuery(keyword="1")) == ([1, 2, 3, 4], 4)
        assert await find(record, HostQuery(with_agent=False)) == ([4], 1)
        assert await find(record, HostQuery(with_agent=True)) == ([1, 2, 3], 3)
        assert await find(record, HostQuery(online, "web", with_agent=True)) == ([1], 1)

    async def test_pages_and_order(self, record: Record) -> None:
        await record.hosts.put([entry(one, alias=f"web-{one}") for one in (*range(1, 1102), 2**63 - 1)], NOW)
        down = HostQuery(ascending=False)
        assert await find(record, down, 0, 2) == ([2**63 - 1, 1101], 1102)
        assert await find(record, down, 1100, 5) == ([2, 1], 1102)
        assert await find(record, HostQuery(keyword="web-11"), 0, 3) == ([11, 110, 111], 13)
        assert await find(record, HostQuery(keyword="web-11", ascending=False), 11, 9) == ([110, 11], 13)
