"""Measurements on the store's server: the time of a round trip, and the memory of keys."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from redis.asyncio import Redis

from infra.store import keys

_MARK = "bench:round-trip"


async def measure_round_trips(url: str, count: int) -> tuple[float, float]:
    """Return the median seconds of a round trip that writes, and so waits for the disk, and of one that only reads."""
    async with _connect(url) as client:
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


async def read_used_bytes(url: str) -> int:
    """Return the bytes of memory that the server uses, as it reports them."""
    async with _connect(url) as client:
        return int((await client.info("memory"))["used_memory"])


async def measure_task_bytes(url: str, task_id: int) -> tuple[int, int]:
    """Return the bytes of a task's keys in the server's memory: without its logs, and of its logs."""
    head, logs = keys.task(task_id), keys.logs(task_id, 0).removesuffix("0")
    rest_bytes = log_bytes = 0
    async with _connect(url) as client:
        names = [head, *[name.decode() async for name in client.scan_iter(f"{head}:*", count=1000)]]
        for name in names:
            size = await client.memory_usage(name, samples=0) or 0
            if name.startswith(logs):
                log_bytes += size
            else:
                rest_bytes += size
    return rest_bytes, log_bytes


@asynccontextmanager
async def _connect(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()
