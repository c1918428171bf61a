"""Errands in Redis."""

import asyncio
from contextlib import suppress
from typing import Final

from core.errand import ClaimedErrand, Errand, ErrandAnswer
from core.errors import StoreUnavailable
from infra.store import keys
from infra.store.codec.errand import decode_answer, decode_errand, encode
from infra.store.connection import Connection
from infra.store.values import StoreOptions

_ANSWER_KEPT: Final = 60_000
"""Milliseconds for which an answer is kept that nobody fetches."""


class Errands:
    """What API processes have workers do while a client waits. All of it lapses by itself."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._slice = options.timeout / 2
        """A wait must end before its connection counts as dead."""

    async def put(self, errand: Errand, lasts: int) -> None:
        """Keep an errand for so many milliseconds, until a worker claims it."""
        await self._redis.call("SET", keys.errand(errand.id), encode(errand), "PX", lasts)

    async def claim(self, errand_id: str) -> ClaimedErrand | None:
        """Take an errand: of any number of callers one gets it. None where it was taken, or nobody waits any more.

        While the fleet's brake is on nobody gets one that changes something; it stays until it lapses.
        """
        found = await self._redis.run("claim_errand", id=errand_id)
        return ClaimedErrand(decode_errand(found[0]), int(found[1])) if found else None

    async def withdraw(self, errand_id: str) -> bool:
        """Take an errand back; False where a worker has claimed it."""
        return bool(await self._redis.call("DEL", keys.errand(errand_id)))

    async def answer(self, errand_id: str, answer: ErrandAnswer) -> None:
        """Hand in the answer. It is kept for a minute."""
        key = keys.errand_answer(errand_id)
        await self._redis.calls([("RPUSH", key, encode(answer)), ("PEXPIRE", key, _ANSWER_KEPT)])

    async def wait(self, errand_id: str, patience: float) -> ErrandAnswer | None:
        """Wait for the answer, for at most `patience` seconds, on a connection of its own; None where none came."""
        end = asyncio.get_running_loop().time() + patience
        own = self._redis.open_separate()
        try:
            while (left := end - asyncio.get_running_loop().time()) > 0:
                found = await own.call("BLPOP", keys.errand_answer(errand_id), f"{min(left, self._slice):.3f}")
                if found:
                    return decode_answer(found[1])
            return None
        finally:
            with suppress(StoreUnavailable):
                await own.aclose()
