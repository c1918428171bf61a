"""The users and their access keys."""

import asyncio
from dataclasses import replace

from core.access_key import AccessKey
from core.user import Role, User
from tests.support.records import NOW
from tests.support.scenario import Record

KEY = AccessKey("ak-1", "ann", 100, "gAAAA", "for the cron job", NOW)


class Users:
    async def test_users_are_numbered_from_a_hundred_and_names_are_given_once(self, record: Record) -> None:
        admin = User(0, "admin", "$argon2id$1", frozenset({Role.ADMIN}))
        assert await record.users.count() == 0
        assert await record.users.get("admin") is None
        assert await record.users.put(admin)
        assert not await record.users.put(replace(admin, password_hash="$argon2id$2"))
        both = frozenset({Role.HOST_VIEWER, Role.TASK_VIEWER})
        assert await record.users.put(User(0, "bo", "$argon2id$3", both))
        assert await record.users.get("admin") == replace(admin, id=100)
        other = await record.users.get("bo")
        assert other is not None
        assert (other.name, other.roles) == ("bo", both)
        assert other.id > 100
        assert await record.users.count() == 2

    async def test_a_user_changes_only_from_what_was_read(self, record: Record) -> None:
        for name in ("zoë", "ann"):
            await record.users.put(User(0, name, "$1", frozenset({Role.ADMIN, Role.HOST_VIEWER})))
        ann, zoe = await record.users.all()
        assert (ann.name, zoe.name) == ("ann", "zoë")
        changed = replace(ann, password_hash="$2", roles=frozenset({Role.TASK_VIEWER}))
        assert await record.users.change(ann, changed)
        assert not await record.users.change(ann, replace(ann, password_hash="$3"))
        assert await record.users.get("ann") == changed
        assert await record.users.change(changed, None)
        assert not await record.users.change(changed, None)
        assert not await record.users.change(changed, ann)
        assert await record.users.all() == (zoe,)

    async def test_of_administrators_who_remove_each_other_one_stays(self, record: Record) -> None:
        for name, role in (("ann", Role.ADMIN), ("bob", Role.ADMIN), ("eve", Role.HOST_VIEWER)):
            await record.users.put(User(0, name, "$1", frozenset({role, Role.TASK_VIEWER})))
        ann, bob, eve = await record.users.all()
        less = replace(bob, roles=frozenset({Role.TASK_VIEWER}))
        changes = await asyncio.gather(record.users.change(ann, None), record.users.change(bob, less))
        assert sorted(changes) == [False, True]
        (last,) = [user for user in await record.users.all() if Role.ADMIN in user.roles]
        assert not await record.users.change(last, None)
        assert await record.users.change(last, replace(last, password_hash="$2"))
        assert await record.users.change(eve, None)

    async def test_a_name_that_is_given_again_has_another_number(self, record: Record) -> None:
        ann = User(0, "ann", "$1", frozenset())
        await record.users.put(ann)
        first = await record.users.get("ann")
        assert first is not None
        assert await record.users.change(first, None)
        await record.users.put(ann)
        again = await record.users.get("ann")
        assert again is not None
        assert again.id > first.id

    async def test_access_keys_read_back_oldest_first(self, record: Record) -> None:
        older = replace(KEY, id="ak-2", created=NOW - 1, description="")
        assert await record.access_keys.put(KEY)
        assert await record.access_keys.put(older)
        assert not await record.access_keys.put(replace(KEY, user="bob"))
        assert await record.access_keys.get("ak-1") == KEY
        assert await record.access_keys.get("ak-3") is None
        assert await record.access_keys.all() == (older, KEY)
        assert await record.access_keys.remove("ak-1")
        assert not await record.access_keys.remove("ak-1")
        assert await record.access_keys.all() == (older,)
