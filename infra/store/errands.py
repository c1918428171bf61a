"""Errands."""

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
"""How long an answer is kept that nobody fetches, in milliseconds."""


class Errands:
    """What API processes ask workers to do while a client waits. Errands and answers lapse by themselves."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._slice = options.timeout / 2
        """A wait must end before its connection counts as dead."""

    async def put(self, errand: Errand, lasts: int) -> None:
        """Keep an errand until a worker claims it, for at most `lasts` milliseconds."""
        await self._redis.call("SET", keys.errand(errand.id), encode(errand), "PX", lasts)

    async def claim(self, errand_id: str) -> ClaimedErrand | None:
        """Take an errand. One caller gets it; None if it was taken, or nobody waits any more.

        While the fleet's brake is on, nobody gets an errand that changes something. It stays until it lapses.
        """
        found = await self._redis.run("claim_errand", id=errand_id)
        return ClaimedErrand(decode_errand(found[0]), int(found[1])) if found else None

    async def withdraw(self, errand_id: str) -> bool:
        """Take an errand back; False if a worker has claimed it."""
        return bool(await self._redis.call("DEL", keys.errand(errand_id)))

    async def answer(self, errand_id: str, answer: ErrandAnswer) -> None:
        """Store the answer. It is kept for a minute."""
        key = keys.errand_answer(errand_id)
        await self._redis.calls([("RPUSH", key, encode(answer)), ("PEXPIRE", key, _ANSWER_KEPT)])

    async def wait(self, errand_id: str, patience: float) -> ErrandAnswer | None:
        """Wait for the answer on a connection of its own, for at most `patience` seconds; None if none came."""
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
