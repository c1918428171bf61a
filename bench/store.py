"""Questions to the store's server itself: what a round trip costs, and what keys take."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from redis.asyncio import Redis

from infra.store.redis import keys

_MARK = "bench:round-trip"


async def round_trips(url: str, count: int) -> tuple[float, float]:
    """Return the median seconds of a round trip that writes, and so waits for the disk, and of one that does not."""
    async with _client(url) as client:
        writing, asking = [], []
        for number in range(count):
            began = time.perf_counter()
            await client.set(_MARK, number)
            between = time.perf_counter()
            await client.ping()
            writing.append(between - began)
            asking.append(time.perf_counter() - between)
        await client.delete(_MARK)
    return median(writing), median(asking)


async def used_bytes(url: str) -> int:
    """Return how many bytes the store's server says that it uses."""
    async with _client(url) as client:
        return int((await client.info("memory"))["used_memory"])


async def task_bytes(url: str, task_id: int) -> tuple[int, int]:
    """Return how many bytes a task's keys take in the store's memory: all but its logs, and its logs."""
    head, logs = keys.task(task_id), keys.logs(task_id, 0).removesuffix("0")
    rest_bytes = log_bytes = 0
    async with _client(url) as client:
        names = [head, *[name.decode() async for name in client.scan_iter(f"{head}:*", count=1000)]]
        for name in names:
            size = await client.memory_usage(name, samples=0) or 0
            if name.startswith(logs):
                log_bytes += size
            else:
                rest_bytes += size
    return rest_bytes, log_bytes


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()
