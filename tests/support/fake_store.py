"""The store on a Redis that is simulated in the test's own process, and ways to reach behind it."""

from __future__ import annotations

from fakeredis import FakeAsyncRedis, FakeServer
from typing_extensions import override

from core.record import RECORD_VERSION
from infra.store import Store, keys
from infra.store.values import StoreOptions


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


async def let_pass(store: FakeStore, milliseconds: int) -> None:
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
