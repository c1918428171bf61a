"""The access keys of users."""

import orjson

from core.access_key import AccessKey
from infra.store import keys
from infra.store.connection import Connection


class AccessKeys:
    """The access keys of the users."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def put(self, key: AccessKey) -> bool:
        """Add a key; False if its id is taken."""
        return bool(await self._redis.call("HSETNX", keys.ACCESS_KEYS, key.id, _encode(key)))

    async def get(self, key_id: str) -> AccessKey | None:
        """Return a key, or None."""
        raw = await self._redis.call("HGET", keys.ACCESS_KEYS, key_id)
        return _decode(key_id, raw) if raw else None

    async def all(self) -> tuple[AccessKey, ...]:
        """Return the keys, oldest first."""
        found = await self._redis.call("HGETALL", keys.ACCESS_KEYS)
        decoded = (_decode(key_id, raw) for key_id, raw in found.items())
        return tuple(sorted(decoded, key=lambda key: (key.created, key.id)))

    async def remove(self, key_id: str) -> bool:
        """Remove a key; False if there is none."""
        return bool(await self._redis.call("HDEL", keys.ACCESS_KEYS, key_id))


def _encode(key: AccessKey) -> bytes:
    return orjson.dumps(
        {
            "user": key.user,
            "userId": key.user_id,
            "sealed": key.sealed,
            "description": key.description,
            "created": key.created,
        }
    )


def _decode(key_id: str, raw: str) -> AccessKey:
    document = orjson.loads(raw)
    return AccessKey(
        key_id,
        document["user"],
        document["userId"],
        document["sealed"],
        document["description"],
        document["created"],
    )
