"""Who did what: the audit."""

from dataclasses import replace

from core.audit import AuditEntry, Proof
from core.record import TaskRecord
from infra.store.task_values import Once
from infra.store.values import StoreOptions
from tests.support.records import NOW, draft
from tests.support.scenario import Record

ENTRY = AuditEntry(
    at=NOW,
    user="ann",
    proof=Proof.ACCESS_KEY,
    access_key="ak-1",
    source="10.0.0.1",
    method="POST",
    path="/api/v2/compute/hosts/batchStopAgents",
    fields={"hostIds": "1, 2 and 8 more"},
    task_id=2**53 + 1,
    status=200,
    code=0,
    message="",
    trace_id="0123456789abcdef",
)
BARE = AuditEntry(NOW, None, Proof.NONE, None, "zürich", "GET", "/", status=401, code=30004, message="No.")


class Audit:
    async def test_the_audit_reads_back_newest_first(self, record: Record) -> None:
        assert await record.audit.page(0, 10) == await record.audit.page(5, 10)
        assert [await record.audit.append(entry) for entry in (ENTRY, BARE, ENTRY)] == [1, 2, 3]
        page = await record.audit.page(0, 10)
        assert page.items == (replace(ENTRY, number=3), replace(BARE, number=2), replace(ENTRY, number=1))
        assert page.total == 3
        page = await record.audit.page(1, 1)
        assert page.items == (replace(BARE, number=2),)
        assert (await record.audit.page(3, 10)).items == ()

    async def test_a_task_is_kept_together_with_the_entry_of_its_request(self, record: Record) -> None:
        made = await record.tasks.create(replace(draft((1, 2)), entry=ENTRY))
        await record.tasks.create(draft((1, 2)))
        once = Once("k-1", "ab12")
        other = await record.tasks.create_once(replace(draft((3,)), entry=BARE), once)
        await record.tasks.create_once(replace(draft((3,)), entry=BARE), once)
        assert isinstance(other, TaskRecord)
        page = await record.audit.page(0, 10)
        assert page.items == (replace(BARE, number=2, task_id=other.id), replace(ENTRY, number=1, task_id=made.id))

    async def test_the_audit_keeps_the_newest(self, record: Record) -> None:
        record.configure(StoreOptions(keep_audit=5))
        for _ in range(12):
            await record.audit.append(ENTRY)
        page = await record.audit.page(1, 2)
        assert ([entry.number for entry in page.items], page.total) == ([11, 10], 5)
        assert [entry.number for entry in (await record.audit.page(3, 10)).items] == [9, 8]
