"""The fleet's brake in Redis. The script `advance` looks at its key before it lets anybody claim."""

import orjson
from typing_extensions import override

from core.brake import Brake
from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import Brakes


class RedisBrake(Brakes):
    """The brake of one fleet in one Redis."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    @override
    async def pull(self, brake: Brake) -> Brake:
        there: Brake | None = None
        while there is None:  # somebody may release it between the two
            await self._redis.call("SET", keys.BRAKE, encoded(brake), "NX")
            there = await self.get()
        return there

    @override
    async def release(self) -> Brake | None:
        return _decoded(await self._redis.call("GETDEL", keys.BRAKE))

    @override
    async def get(self) -> Brake | None:
        return _decoded(await self._redis.call("GET", keys.BRAKE))


def encoded(brake: Brake) -> bytes:
    """Return what the key of a brake that is on holds."""
    return orjson.dumps({"by": brake.by, "at": brake.at, "reason": brake.reason})


def _decoded(text: str | None) -> Brake | None:
    return None if text is None else Brake(**orjson.loads(text))
