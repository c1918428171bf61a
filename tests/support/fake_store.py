"""The store on a Redis that is simulated in the test's own process, and ways to reach behind it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol
from unittest.mock import patch

from fakeredis import FakeAsyncRedis, FakeServer
from typing_extensions import override

from core.record import RECORD_VERSION
from infra.store import Store, keys
from infra.store.values import StoreOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from redis.asyncio import Redis


class FakeStore(Store):
    """An empty store on a Redis of its own. It may be used from several event loops, one after the other.

    Args:
        options: how it is used.
    """

    def __init__(self, options: StoreOptions | None = None) -> None:
        self.client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        super().__init__(self.client, options or StoreOptions())

    @override
    async def check(self) -> None:
        """Do nothing: the simulated Redis does not say how it persists."""


@contextmanager
def break_after_scripts(store: FakeStore, count: int) -> Iterator[None]:
    """Let the Redis of a store answer so many scripts, and then nothing any more; afterwards it answers again."""
    execute: Callable[..., Awaitable[object]] = store.client.execute_command
    left = count

    async def execute_while_there(*words: object, **options: object) -> object:
        nonlocal left
        if not left:
            raise ConnectionError
        answer = await execute(*words, **options)
        left -= str(words[0]).startswith("EVAL")
        return answer

    with patch.object(store.client, "execute_command", execute_while_there):
        yield


class OnRedis(Protocol):
    """What lies on a Redis that tests can reach."""

    @property
    def client(self) -> Redis:
        """A client that decodes replies to text."""


async def let_pass(store: OnRedis, milliseconds: int) -> None:
    """Let time pass for the store: whatever expires is that much closer to its end, or gone."""
    async for key in store.client.scan_iter("*"):
        left = await store.client.pttl(key)
        if left >= 0:
            await store.client.pexpire(key, left - milliseconds)


async def expire_task(store: FakeStore, task_id: int) -> None:
    """Let a task expire now."""
    async for key in store.client.scan_iter(f"{keys.task(task_id)}*"):
        await store.client.delete(key)


async def make_newer(store: FakeStore, task_id: int) -> None:
    """Make a task's record one of a version that this code does not know."""
    await store.client.hset(keys.task(task_id), "version", str(RECORD_VERSION + 1))
