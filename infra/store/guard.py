"""Marks and counters in Redis."""

from collections.abc import Sequence

from typing_extensions import override

from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import Counted, Guard


class RedisGuard(Guard):
    """Marks and counters in one Redis; they lapse by its clock."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    @override
    async def mark(self, name: str, lapses: int) -> bool:
        return bool(await self._redis.call("SET", keys.mark(name), 1, "NX", "PX", lapses))

    @override
    async def count(self, names: Sequence[str], lapses: int) -> tuple[int, ...]:
        return tuple(await self._redis.run("count", lapses, *names))

    @override
    async def counted(self, names: Sequence[str]) -> tuple[Counted, ...]:
        asked = [(word, keys.counter(name)) for name in names for word in ("GET", "PTTL")]
        answers = await self._redis.calls(asked)
        return tuple(_counted(*pair) for pair in zip(answers[::2], answers[1::2], strict=True))

    @override
    async def clear(self, name: str) -> None:
        await self._redis.call("DEL", keys.counter(name))


def _counted(count: str | None, left: int) -> Counted:
    # It may lapse between the two commands.
    return Counted(int(count), left) if count and left > 0 else Counted(0, 0)
