"""Errands in Redis."""

import asyncio
from contextlib import suppress
from typing import Final

from typing_extensions import override

from core.errand import ClaimedErrand, Errand, ErrandAnswer
from core.errors import StoreUnavailable
from infra.store import keys
from infra.store.codec.errand import decode_answer, decode_errand, encode
from infra.store.connection import Connection
from infra.store.values import Errands, StoreOptions

_ANSWER_KEPT: Final = 60_000
"""Milliseconds for which an answer is kept that nobody fetches."""


class RedisErrands(Errands):
    """The errands of one fleet in one Redis."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._slice = options.timeout / 2
        """A wait must end before its connection counts as dead."""

    @override
    async def put(self, errand: Errand, lasts: int) -> None:
        await self._redis.call("SET", keys.errand(errand.id), encode(errand), "PX", lasts)

    @override
    async def claim(self, errand_id: str) -> ClaimedErrand | None:
        found = await self._redis.run("claim_errand", errand_id)
        return ClaimedErrand(decode_errand(found[0]), int(found[1])) if found else None

    @override
    async def withdraw(self, errand_id: str) -> bool:
        return bool(await self._redis.call("DEL", keys.errand(errand_id)))

    @override
    async def answer(self, errand_id: str, answer: ErrandAnswer) -> None:
        key = keys.errand_answer(errand_id)
        await self._redis.calls([("RPUSH", key, encode(answer)), ("PEXPIRE", key, _ANSWER_KEPT)])

    @override
    async def wait(self, errand_id: str, patience: float) -> ErrandAnswer | None:
        end = asyncio.get_running_loop().time() + patience
        own = self._redis.apart()
        try:
            while (left := end - asyncio.get_running_loop().time()) > 0:
                found = await own.call("BLPOP", keys.errand_answer(errand_id), f"{min(left, self._slice):.3f}")
                if found:
                    return decode_answer(found[1])
            return None
        finally:
            with suppress(StoreUnavailable):
                await own.aclose()
