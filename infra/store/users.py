"""The users in Redis."""

from dataclasses import replace

import orjson
from typing_extensions import override

from core.user import Role, User
from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import FIRST_USER_ID, Users


class RedisUsers(Users):
    """The users of one fleet in one Redis."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    @override
    async def put(self, user: User) -> bool:
        await self._redis.call("SETNX", keys.USER_SEQUENCE, FIRST_USER_ID - 1)
        numbered = replace(user, id=int(await self._redis.call("INCR", keys.USER_SEQUENCE)))
        return bool(await self._redis.call("HSETNX", keys.USERS, user.name, _encode(numbered)))

    @override
    async def get(self, name: str) -> User | None:
        raw = await self._redis.call("HGET", keys.USERS, name)
        return _decode(name, raw) if raw else None

    @override
    async def count(self) -> int:
        return int(await self._redis.call("HLEN", keys.USERS))

    @override
    async def all(self) -> tuple[User, ...]:
        found = await self._redis.call("HGETALL", keys.USERS)
        return tuple(_decode(name, found[name]) for name in sorted(found))

    @override
    async def change(self, old: User, new: User | None) -> bool:
        wanted = int(old.ceases_to_administer(new))
        return bool(
            await self._redis.run(
                "change_user", old.name, _encode(old), _encode(new) if new else "", wanted, Role.ADMIN
            )
        )


def _encode(user: User) -> bytes:
    return orjson.dumps({"id": user.id, "password": user.password_hash, "roles": sorted(user.roles)})


def _decode(name: str, raw: str) -> User:
    document = orjson.loads(raw)
    return User(document["id"], name, document["password"], frozenset(map(Role, document["roles"])))
