"""A record with 100,000 finished tasks: lists are as quick as with ten, and expired tasks leave them without a scan."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from core.status import TaskStatus
from infra.store import Store, keys
from infra.store.scripts.source import read_prelude
from infra.store.task_values import TaskQuery
from infra.store.values import StoreOptions
from tests.support.records import NOW, draft
from tests.support.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MANY = 100_000
CREATORS = ("admin", "night-shift", "deploy")
FILL = """
-- Makes ARGV[1] tasks that ended; one in ten FAILED. The scripts of the record would take minutes for so many.
for i = 1, tonumber(ARGV[1]) do
  local id = int(redis.call('INCR', P .. 'seq:task'))
  local creator, status = ARGV[2 + i % 3], i % 10 == 0 and 'FAILED' or 'SUCCESSFUL'
  redis.call('HSET', task_key(id), 'version', 1, 'type', 'batch_stop_agents', 'creator_id', 100, 'creator', creator,
    'executor', '10.0.0.1', 'trace', '0123456789abcdef', 'started', ARGV[5], 'finished', ARGV[5], 'status', status,
    'operation', 'EXECUTE', 'opened', 4, 'token', 5, 'held', 0, 'hosts', 1, 'first', id * 5, 'changes', 11,
    'n:0:S', 1, 'n:1:S', 1, 'n:2:S', 1, 'n:3:S', 1, 'n:4:S', 1)
  local entry = status .. ' batch_stop_agents - ' .. creator
  redis.call('ZADD', P .. 'tasks', id, id)
  index('ZADD', id, entry)
  redis.call('HSET', P .. 'tasks:indexed', id, entry)
  redis.call('SADD', P .. 'types', 'batch_stop_agents')
  redis.call('ZADD', P .. 'expiring', ARGV[6], id)
end
"""
LATER = NOW + 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("many"), appendonly=False) as running:
        yield running


@pytest.fixture
async def client(server: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url(), decode_responses=True) as client:
        yield client


async def _fill(client: Redis) -> None:
    script = f"{read_prelude('tasks')}{FILL}"
    for _ in range(MANY // 2000):
        await client.eval(script, 0, "2000", *CREATORS, str(NOW), str(LATER))


async def _milliseconds(store: Store, query: TaskQuery, times: int = 20) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await store.tasks.page(query, NOW)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2] * 1000


@pytest.mark.alone
async def test_lists_are_quick_among_very_many_tasks(server: ValkeyServer, client: Redis) -> None:
    await _fill(client)
    store = Store.at(server.url(), StoreOptions())
    running = [await store.tasks.create(draft((1,))) for _ in range(3)]
    queries = {
        "the newest ten": TaskQuery(),
        "the oldest ten": TaskQuery(ascending=True),
        "page 5,000": TaskQuery(offset=50_000),
        "FAILED": TaskQuery(statuses=frozenset({TaskStatus.FAILED})),
        "RUNNING or SUCCESSFUL": TaskQuery(statuses=frozenset({TaskStatus.RUNNING, TaskStatus.SUCCESSFUL})),
        "of one creator": TaskQuery(creator="night-shift"),
        "FAILED, of a type, of a creator, page 100": TaskQuery(
            frozenset({TaskStatus.FAILED}), frozenset({"batch_stop_agents"}), "admin", offset=1000
        ),
        "2,000 on a page": TaskQuery(limit=2000),
    }
    await client.config_set("slowlog-log-slower-than", 0)
    await client.config_set("slowlog-max-len", 10_000)
    await client.slowlog_reset()
    for name, query in queries.items():
        page = await store.tasks.page(query, NOW)
        taken = await _milliseconds(store, query)
        print(f"{name}: {page.total} tasks, {len(page.items)} on the page, {taken:.1f} ms")
        assert len(page.items) == query.limit
        assert taken < (2000 if query.limit > 10 else 100), "ms, on however busy a machine"
    slow = [one["duration"] for one in await client.slowlog_get(10_000) if "EVAL" in str(one["command"])]
    print(f"longest script: {max(slow, default=0)} µs; median {sorted(slow)[len(slow) // 2]} µs")
    found = await store.tasks.page(TaskQuery(limit=2), NOW)
    assert (found.total, [task.id for task in found.items]) == (MANY + 3, [running[2].id, running[1].id])
    info = await client.memory_usage(keys.PREFIX + "tasks:SUCCESSFUL:batch_stop_agents")
    print(f"one index of {MANY * 9 // 10} tasks: {info} bytes")

    # All of them expire at once, which never happens: each call puts away a part, and every call stays short.
    for first in range(1, MANY + 1, 5000):
        await client.delete(*(keys.task(number) for number in range(first, first + 5000)))
    began, calls, longest = time.perf_counter(), 0, 0.0
    while (await store.tasks.page(TaskQuery(limit=1), LATER)).total > 3:
        calls += 1
        longest = max(longest, await _milliseconds_of_one(store))
    print(f"{MANY} expired: {calls * 2} calls, {time.perf_counter() - began:.1f} s, longest {longest:.1f} ms")
    assert calls <= MANY // 500
    assert longest < 200, "ms, on however busy a machine"
    assert sorted([name async for name in client.scan_iter(match="ocpfleet:tasks*")]) == [
        "ocpfleet:tasks",
        "ocpfleet:tasks:RUNNING:batch_stop_agents",
        "ocpfleet:tasks:RUNNING:batch_stop_agents:creator:admin",
        "ocpfleet:tasks:indexed",
    ]
    await store.aclose()


async def _milliseconds_of_one(store: Store) -> float:
    began = time.perf_counter()
    await store.tasks.page(TaskQuery(limit=1), LATER)
    return (time.perf_counter() - began) * 1000
