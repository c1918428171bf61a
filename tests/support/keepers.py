"""The keepers of the record as tests see them: how to open each, and how to look behind and tamper with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from typing_extensions import override

from core.record import RECORD_VERSION
from infra.store.base import Store, StoreOptions
from infra.store.redis import keys
from infra.store.redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio import Redis


class Keeper(Protocol):
    """One record, wherever it is kept."""

    def open(self, options: StoreOptions | None = None) -> Store:
        """Return the record. Called once in a test."""

    async def events(self, task_id: int) -> list[dict[str, str]]:
        """Return what the record noted of a task, batch by batch."""

    async def make_newer(self, task_id: int) -> None:
        """Make a task's record one of a version that this code does not know."""

    async def expires(self, task_id: int) -> bool:
        """Return whether a task is on its way out."""

    async def size(self) -> int:
        """Return how many things the record keeps, not counting the last numbers given."""

    async def aclose(self) -> None:
        """Give back what was opened."""


class RedisKeeper(Keeper):
    """A record in Redis. `connect` gives a client that decodes replies to text, a new one each time."""

    def __init__(self, connect: Callable[[], Redis]) -> None:
        self._connect = connect
        self.client = connect()
        self._stores: list[Store] = []

    @override
    def open(self, options: StoreOptions | None = None) -> Store:
        store = RedisStore(self._connect(), options or StoreOptions())
        self._stores.append(store)
        return store

    @override
    async def events(self, task_id: int) -> list[dict[str, str]]:
        found = await self.client.xrange(keys.events(task_id))
        entries = cast("Sequence[tuple[str, dict[str, str]]]", found)
        return [fields for _, fields in entries]

    async def held(self, task_id: int) -> int:
        """Return how many hosts the record counts as held by a task; 0 where the task is gone."""
        return int(await self.client.hget(keys.task(task_id), "held") or 0)

    @override
    async def make_newer(self, task_id: int) -> None:
        await self.client.hset(keys.task(task_id), "version", str(RECORD_VERSION + 1))

    @override
    async def expires(self, task_id: int) -> bool:
        pattern = f"{keys.task(task_id)}*"
        found = [key async for key in self.client.scan_iter(pattern)]
        lives = {await self.client.pttl(key) >= 0 for key in found}
        assert len(lives) == 1, "all of a task goes, or nothing"
        return lives.pop()

    @override
    async def size(self) -> int:
        every = [key async for key in self.client.scan_iter("*")]
        return sum(not key.startswith(f"{keys.PREFIX}seq:") for key in every)

    @override
    async def aclose(self) -> None:
        for store in self._stores:
            await store.aclose()
        await self.client.aclose()
