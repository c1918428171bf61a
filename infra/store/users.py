"""The users in Redis."""

from dataclasses import replace

import orjson

from core.user import Role, User
from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import FIRST_USER_ID


class Users:
    """Who may use the API."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def put(self, user: User) -> bool:
        """Add a user and give it its number; False where the name is taken."""
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
        """Put a user in the place of what was read of it before, or (None) remove it.

        The access keys of a user that is removed are worth nothing from then on.

        Returns:
            False where it is not the same any more, or where nobody would have the role ADMIN then: whoever asks at the
            same time, one user has it.
        """
        role = Role.ADMIN if old.loses_admin_role(new) else None
        records = {"old": _encode(old), "new": _encode(new) if new else None}
        return bool(await self._redis.run("change_user", name=old.name, role=role, **records))


def _encode(user: User) -> str:
    return orjson.dumps({"id": user.id, "password": user.password_hash, "roles": sorted(user.roles)}).decode()


def _decode(name: str, raw: str) -> User:
    document = orjson.loads(raw)
    return User(document["id"], name, document["password"], frozenset(map(Role, document["roles"])))
