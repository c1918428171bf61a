"""Marks and counters that lapse."""

from collections.abc import Sequence

from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import LapsingCounter


class Guard:
    """Marks and counters that lapse by themselves, and that all processes see: a request was sent, somebody failed.

    The caller makes their names, and keeps them short.
    """

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def mark(self, name: str, lapses: int) -> bool:
        """Set a mark for so many milliseconds. Of several callers one gets True, the others False."""
        return bool(await self._redis.call("SET", keys.mark(name), 1, "NX", "PX", lapses))

    async def count(self, names: Sequence[str], lapses: int) -> tuple[int, ...]:
        """Add one to each counter, let it lapse so many milliseconds from now, and return the new counts."""
        return tuple(await self._redis.run("count", lapses=lapses, names=names))

    async def read_counters(self, names: Sequence[str]) -> tuple[LapsingCounter, ...]:
        """Return the counters, in the order given."""
        asked = [(word, keys.counter(name)) for name in names for word in ("GET", "PTTL")]
        answers = await self._redis.calls(asked)
        return tuple(_parse_counter(*pair) for pair in zip(answers[::2], answers[1::2], strict=True))

    async def clear(self, name: str) -> None:
        """Remove a counter."""
        await self._redis.call("DEL", keys.counter(name))


def _parse_counter(count: str | None, left: int) -> LapsingCounter:
    # It may lapse between the two commands.
    return LapsingCounter(int(count), left) if count and left > 0 else LapsingCounter(0, 0)
