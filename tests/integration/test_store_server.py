"""What only a real server shows of the record: that it survives, expires to the last key, and is quick."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from core.errors import StoreUnavailable
from core.host import STOPPED, HostStatus
from core.user import Role, User
from infra.store import Store, keys
from infra.store.host_values import HostQuery
from infra.store.store import client_at
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK, StoreOptions
from tests.support.records import FINISH, NOW, PREPARE, STOP, draft, entry, make_failures, make_successes
from tests.support.scenario import Record, Task
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

DURABLE_KEYS = re.compile(
    r"ocpfleet:(tasks(:.*)?|types|expiring|seq:\w+|hosts|host:\d+|aliases|endpoints|workers|beats|users)"
)
"""Keys of the fleet, which stay."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path) as running:
        yield running


@pytest.fixture
async def client(server: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url(), decode_responses=True) as client:
        yield client


@pytest.fixture
async def record(server: ValkeyServer) -> AsyncIterator[Record]:
    record = Record(lambda: client_at(server.url(), StoreOptions()))
    await record.store.check()
    yield record
    await record.aclose()


async def _open_store(server: ValkeyServer, options: StoreOptions | None = None) -> Store:
    store = Store.at(server.url(), options or StoreOptions())
    await store.check()
    return store


async def _finish_task(record: Record, host_ids: range) -> Task:
    """Run a task to its end and do not look at it after its results: the checks of so many would take too long."""
    worker = await record.workers.enrol("worker-1")
    task = await record.accept(host_ids)
    for step in task.plan:
        claims = await task.claim(step.index, worker=worker)
        for start in range(0, len(claims), CHUNK):
            chunk = claims[start : start + CHUNK]
            if step.index == PREPARE:
                await task.take(chunk)
            if step.index == FINISH:
                await task.give_back(chunk, STOPPED)
            await record.tasks.advance(task.accepted, step, worker, NOW, settled=make_successes(chunk))
    await record.workers.leave(worker)
    return task


async def test_after_a_crash_everything_accepted_is_still_there(server: ValkeyServer, record: Record) -> None:
    await record.hosts.put([entry(1, key="ssh-ed25519 A", alias="one"), entry(2)], NOW)
    await record.users.put(User(0, "admin", "$argon2id$", frozenset({Role.ADMIN})))
    task = await record.accept((1, 2))
    claims = await task.claim(PREPARE)
    await task.take(claims)
    await task.fail(claims[:1])
    idle = await record.accept(range(1, 10_001))

    async def everything() -> list[object]:
        return [
            *[await one.head() for one in (task, idle)],
            *[await one.host_ids() for one in (task, idle)],
            await task.subtasks(),
            await task.logs(0),
            await task.stands(claims[1]),
            await record.hosts.get((1, 2)),
            await record.hosts.aliases(),
            await record.users.get("admin"),
        ]

    before = await everything()
    server.kill()
    with pytest.raises(StoreUnavailable):
        await record.store.ping()
    server.restart()
    assert await everything() == before
    _, more = await task.advance(PREPARE, make_successes(claims[1:]), ClaimRequest(CHUNK))
    assert more.granted == ()


async def test_of_an_expired_task_no_key_is_left_and_every_key_is_documented(record: Record, client: Redis) -> None:
    record.configure(StoreOptions(keep_tasks=300, keep_events=200))
    await record.hosts.put((entry(one, alias=f"host-{one}") for one in range(1, 301)), NOW)
    await record.users.put(User(0, "admin", "$argon2id$", frozenset({Role.ADMIN})))
    documented = [re.compile(pattern) for pattern in _documented_patterns()]
    running = await record.accept(range(1, 301))
    await record.start_worker()
    await running.pass_step(PREPARE)
    task = await _finish_task(record, range(1, 301))
    names = [name async for name in client.scan_iter(count=1000)]
    assert [name for name in names if not any(pattern.fullmatch(name) for pattern in documented)] == []

    async def gone() -> bool:
        return not [name async for name in client.scan_iter(match=f"{keys.task(task.id)}*", count=1000)]

    await eventually(gone, 10, "no key of the task is left")
    left = [name async for name in client.scan_iter(count=1000) if await client.ttl(name) == -1]
    mine = re.compile(rf"{re.escape(keys.task(running.id))}(:.*)?")
    assert [name for name in left if not DURABLE_KEYS.fullmatch(name) and not mine.fullmatch(name)] == []
    later = await record.accept(request=draft((1,), at=NOW * 2))
    assert await client.zrange(keys.PREFIX + "tasks", 0, -1) == [str(running.id), str(later.id)]
    assert await client.zcard(keys.PREFIX + "expiring") == 0


def _documented_patterns() -> Iterator[str]:
    """Yield what the names in the head of `keys.py` stand for: each a backquoted name at the head of a sentence."""
    text = keys.__doc__ or ""
    for line in re.findall(r"^- ((?:.|\n  )*)", text, re.MULTILINE):
        for name in re.findall(r"`([a-z]+(?::[a-z{}]+)*)`(?=,| (?:hash|list|stream|set|sorted set)|:)", line):
            yield re.escape(keys.PREFIX) + re.sub(r"\\\{\w+\\\}", r"[^:]+", re.escape(name))


async def test_no_key_is_left_of_what_comes_too_late(record: Record, client: Redis) -> None:
    record.configure(StoreOptions(keep_tasks=1, keep_events=1))
    await record.import_hosts(1)
    task = await record.accept((1,))
    claims = await task.claim(PREPARE)
    results = make_failures(claims)
    await task.settle(results, worker=await record.workers.enrol("w"))
    await task.wait_until_gone()
    await task.advance(PREPARE, results, ClaimRequest(5))
    await task.ask(STOP, 5)
    await task.take(claims)
    await task.give_back(claims)
    assert [name async for name in client.scan_iter(match="ocpfleet:task:*")] == []
    assert await client.exists(keys.claims(1)) == 0, "the worker holds no claim of a task that is gone"


async def test_no_script_holds_the_server_up_for_long(record: Record, client: Redis) -> None:
    await client.config_set("slowlog-log-slower-than", 100)
    await client.config_set("slowlog-max-len", 10_000)
    await record.import_hosts(*range(1, 3001))
    await _finish_task(record, range(1, 3001))
    worker = await record.workers.enrol("worker-2")
    task = await record.accept(range(1, 3001))
    claims = await task.claim(PREPARE, worker=worker)
    await task.advance(PREPARE, make_successes(claims[:CHUNK]), ClaimRequest(CHUNK), worker=worker)
    slow = await client.slowlog_get(10_000)
    scripts = sorted(one["duration"] for one in slow if one["command"].startswith(b"EVAL"))
    print(f"scripts over 0.1 ms: {len(scripts)}; median {scripts[len(scripts) // 2]} µs, longest {scripts[-1]} µs")
    assert scripts[len(scripts) // 2] < 50_000, "µs, on however busy a machine; a few thousand on an idle one"


async def test_a_list_by_conditions_is_quick_among_many_hosts(record: Record) -> None:
    await record.hosts.put((entry(number, alias=f"web-{number}.example.net") for number in range(1, 10_001)), NOW)
    for query in (HostQuery(frozenset({HostStatus.ONLINE})), HostQuery(keyword="web-99"), HostQuery(keyword="none")):
        some, every = [], []
        for _ in range(3):
            began = time.perf_counter()
            await record.hosts.page(0, 10, query)
            between = time.perf_counter()
            await record.hosts.page(0, 10_000)
            some.append(between - began)
            every.append(time.perf_counter() - between)
        assert min(some) < min(every) / 2, f"{query}: {min(some) * 1000:.0f} ms, and {min(every) * 1000:.0f} for all"


async def test_a_killed_server_is_unavailable_and_a_hanging_one_within_the_timeout(server: ValkeyServer) -> None:
    store = await _open_store(server, StoreOptions(timeout=0.3))
    async with Redis.from_url(server.url()) as client:
        await client.client_pause(1500)
        with pytest.raises(StoreUnavailable, match="OCPFLEET_REDIS_URL"):
            await store.tasks.create(draft((1,)))
    server.kill()
    with pytest.raises(StoreUnavailable, match="OCPFLEET_REDIS_URL"):
        await store.tasks.head(1)
    with pytest.raises(StoreUnavailable):
        await store.hosts.page(0, 5)
    await store.aclose()


async def test_after_a_restart_no_connection_of_before_is_used(server: ValkeyServer) -> None:
    async with aclosing(await _open_store(server)) as store:
        calls = 8
        await asyncio.gather(*(store.hosts.get((1,)) for _ in range(calls)))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)

        assert await asyncio.gather(*(store.hosts.get((1,)) for _ in range(calls))) == [{}] * calls
