"""Who may, who failed, who did what: users that change, access keys, marks and counters, the audit."""

import asyncio
from dataclasses import replace

from core.access_key import AccessKey
from core.audit import AuditEntry, Proof
from core.record import TaskRecord
from core.user import Role, User
from infra.store.base import Counted, Once, StoreOptions
from tests.support.keepers import Keeper
from tests.support.records import NOW, draft
from tests.support.waiting import eventually

KEY = AccessKey("ak-1", "ann", 100, "gAAAA", "for the cron job", NOW)
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


class Access:
    async def test_a_user_changes_only_from_what_was_read(self, keeper: Keeper) -> None:
        store = keeper.open()
        for name in ("zoë", "ann"):
            await store.users.put(User(0, name, "$1", frozenset({Role.ADMIN, Role.HOST_VIEWER})))
        ann, zoe = await store.users.all()
        assert (ann.name, zoe.name) == ("ann", "zoë")
        changed = replace(ann, password_hash="$2", roles=frozenset({Role.TASK_VIEWER}))
        assert await store.users.change(ann, changed)
        assert not await store.users.change(ann, replace(ann, password_hash="$3"))
        assert await store.users.get("ann") == changed
        assert await store.users.change(changed, None)
        assert not await store.users.change(changed, None)
        assert not await store.users.change(changed, ann)
        assert await store.users.all() == (zoe,)

    async def test_of_administrators_who_remove_each_other_one_stays(self, keeper: Keeper) -> None:
        store = keeper.open()
        for name, role in (("ann", Role.ADMIN), ("bob", Role.ADMIN), ("eve", Role.HOST_VIEWER)):
            await store.users.put(User(0, name, "$1", frozenset({role, Role.TASK_VIEWER})))
        ann, bob, eve = await store.users.all()
        less = replace(bob, roles=frozenset({Role.TASK_VIEWER}))
        assert sorted(await asyncio.gather(store.users.change(ann, None), store.users.change(bob, less))) == [
            False,
            True,
        ]
        (last,) = [user for user in await store.users.all() if Role.ADMIN in user.roles]
        assert not await store.users.change(last, None)
        assert await store.users.change(last, replace(last, password_hash="$2"))
        assert await store.users.change(eve, None)

    async def test_a_name_that_is_given_again_has_another_number(self, keeper: Keeper) -> None:
        store = keeper.open()
        ann = User(0, "ann", "$1", frozenset())
        await store.users.put(ann)
        first = await store.users.get("ann")
        assert first is not None
        assert await store.users.change(first, None)
        await store.users.put(ann)
        again = await store.users.get("ann")
        assert again is not None
        assert again.id > first.id

    async def test_access_keys_read_back_oldest_first(self, keeper: Keeper) -> None:
        store = keeper.open()
        older = replace(KEY, id="ak-2", created=NOW - 1, description="")
        assert await store.access_keys.put(KEY)
        assert await store.access_keys.put(older)
        assert not await store.access_keys.put(replace(KEY, user="bob"))
        assert await store.access_keys.get("ak-1") == KEY
        assert await store.access_keys.get("ak-3") is None
        assert await store.access_keys.all() == (older, KEY)
        assert await store.access_keys.remove("ak-1")
        assert not await store.access_keys.remove("ak-1")
        assert await store.access_keys.all() == (older,)

    async def test_of_many_who_mark_at_once_one_is_first(self, keeper: Keeper) -> None:
        store = keeper.open()
        firsts = await asyncio.gather(*(store.guard.mark("m", 60_000) for _ in range(20)))
        assert firsts.count(True) == 1
        assert await store.guard.mark("other", 60_000)

    async def test_a_mark_lapses(self, keeper: Keeper) -> None:
        store = keeper.open()
        assert await store.guard.mark("m", 50)

        async def free_again() -> bool:
            return await store.guard.mark("m", 60_000)

        await eventually(free_again, 10, "the mark has lapsed")

    async def test_counters_count_lapse_and_are_forgotten(self, keeper: Keeper) -> None:
        store = keeper.open()
        assert await store.guard.count(("a", "b"), 60_000) == (1, 1)
        assert await store.guard.count(("a",), 2_000) == (2,)
        a, b, c = await store.guard.counted(("a", "b", "c"))
        assert (a.count, b.count, c) == (2, 1, Counted(0, 0))
        assert 0 < a.left <= 2_000
        assert 50_000 < b.left <= 60_000

        async def lapsed() -> bool:
            return await store.guard.counted(("a",)) == (Counted(0, 0),)

        await eventually(lapsed, 10, "the counter has lapsed")
        assert await store.guard.count(("a",), 60_000) == (1,)
        await store.guard.clear("b")
        await store.guard.clear("b")
        assert await store.guard.counted(("b",)) == (Counted(0, 0),)

    async def test_marks_and_counters_do_not_meet(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.guard.count(("x",), 60_000)
        assert await store.guard.mark("x", 60_000)
        assert (await store.guard.counted(("x",)))[0].count == 1

    async def test_the_audit_reads_back_newest_first(self, keeper: Keeper) -> None:
        store = keeper.open()
        assert await store.audit.page(0, 10) == await store.audit.page(5, 10)
        assert [await store.audit.append(entry) for entry in (ENTRY, BARE, ENTRY)] == [1, 2, 3]
        page = await store.audit.page(0, 10)
        assert page.entries == (replace(ENTRY, number=3), replace(BARE, number=2), replace(ENTRY, number=1))
        assert page.total == 3
        page = await store.audit.page(1, 1)
        assert page.entries == (replace(BARE, number=2),)
        assert (await store.audit.page(3, 10)).entries == ()

    async def test_a_task_is_kept_together_with_the_entry_of_its_request(self, keeper: Keeper) -> None:
        store = keeper.open()
        made = await store.tasks.create(replace(draft((1, 2)), entry=ENTRY))
        await store.tasks.create(draft((1, 2)))
        once = Once("k-1", "ab12")
        other = await store.tasks.create_once(replace(draft((3,)), entry=BARE), once)
        await store.tasks.create_once(replace(draft((3,)), entry=BARE), once)
        assert isinstance(other, TaskRecord)
        page = await store.audit.page(0, 10)
        assert page.entries == (replace(BARE, number=2, task_id=other.id), replace(ENTRY, number=1, task_id=made.id))

    async def test_the_audit_keeps_the_newest(self, keeper: Keeper) -> None:
        store = keeper.open(StoreOptions(keep_audit=5))
        for _ in range(12):
            await store.audit.append(ENTRY)
        page = await store.audit.page(1, 2)
        assert ([entry.number for entry in page.entries], page.total) == ([11, 10], 5)
        assert [entry.number for entry in (await store.audit.page(3, 10)).entries] == [9, 8]
