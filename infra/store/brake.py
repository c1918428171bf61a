"""The fleet's brake. The script `advance` reads its key before it lets anybody claim."""

import orjson

from core.brake import Brake
from infra.store import keys
from infra.store.connection import Connection


class Brakes:
    """The fleet's brake. While it is on, nobody begins to claim (`Tasks.advance`, `Errands.claim`).

    Results are still recorded.
    """

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def pull(self, brake: Brake) -> Brake:
        """Put the brake on and return it. A brake that is on already stays as it is."""
        there: Brake | None = None
        while there is None:  # somebody may release it between the two
            await self._redis.call("SET", keys.BRAKE, encode_brake(brake), "NX")
            there = await self.get()
        return there

    async def release(self) -> Brake | None:
        """Take the brake off and return it; None if it was not on."""
        return _decode_brake(await self._redis.call("GETDEL", keys.BRAKE))

    async def get(self) -> Brake | None:
        """Return the brake; None if it is not on."""
        return _decode_brake(await self._redis.call("GET", keys.BRAKE))


def encode_brake(brake: Brake) -> bytes:
    """Return a brake as its key holds it."""
    return orjson.dumps({"by": brake.by, "at": brake.at, "reason": brake.reason})


def _decode_brake(text: str | None) -> Brake | None:
    return None if text is None else Brake(**orjson.loads(text))
