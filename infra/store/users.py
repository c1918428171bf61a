"""The users."""

from dataclasses import replace

import orjson

from core.user import Role, User
from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import FIRST_USER_ID


class Users:
    """The people and programs that may use the API."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def put(self, user: User) -> bool:
        """Add a user and give it a number; False if the name is taken."""
        await self._redis.call("SETNX", keys.USER_SEQUENCE, FIRST_USER_ID - 1)
        numbered = replace(user, id=int(await self._redis.call("INCR", keys.USER_SEQUENCE)))
        return bool(await self._redis.call("HSETNX", keys.USERS, user.name, _encode(numbered)))

    async def get(self, name: str) -> User | None:
        """Return a user, or None."""
        raw = await self._redis.call("HGET", keys.USERS, name)
        return _decode(name, raw) if raw else None

    async def count(self) -> int:
        """Return how many users there are."""
        return int(await self._redis.call("HLEN", keys.USERS))

    async def all(self) -> tuple[User, ...]:
        """Return the users, by name."""
        found = await self._redis.call("HGETALL", keys.USERS)
        return tuple(_decode(name, found[name]) for name in sorted(found))

    async def change(self, old: User, new: User | None) -> bool:
        """Replace a user that was read before, or remove it (None).

        The access keys of a removed user are not valid any more.

        Returns:
            False if the user has changed since it was read, or if nobody would be left with the role ADMIN. That holds
            for any number of callers at once.
        """
        role = Role.ADMIN if old.loses_admin_role(new) else None
        records = {"old": _encode(old), "new": _encode(new) if new else None}
        return bool(await self._redis.run("change_user", name=old.name, role=role, **records))


def _encode(user: User) -> str:
    return orjson.dumps({"id": user.id, "password": user.password_hash, "roles": sorted(user.roles)}).decode()


def _decode(name: str, raw: str) -> User:
    document = orjson.loads(raw)
    return User(document["id"], name, document["password"], frozenset(map(Role, document["roles"])))
