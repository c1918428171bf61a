"""Which servers the record is trusted to, and when a task counts as stored: with replicas, behind Sentinels."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from core.errors import Misconfigured, StoreUnavailable
from core.record import TaskRecord
from demo.ports import reserve_port
from infra.store import Store
from infra.store.task_values import Known, Once
from infra.store.values import StoreOptions
from tests.support.records import draft
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORGETFUL = StoreOptions(may_forget=True)


async def _refusal(directory: Path, *, appendonly: bool, extra: Sequence[str] = ()) -> tuple[str, str]:
    """Return why a server is refused, and why when it may forget; empty where it is accepted."""
    with ValkeyServer(directory, appendonly=appendonly, extra=extra) as server:
        return await _verdict(server, StoreOptions()), await _verdict(server, FORGETFUL)


async def _verdict(server: ValkeyServer, options: StoreOptions) -> str:
    store = Store.at(server.url(), options)
    try:
        await store.check()
    except Misconfigured as refusal:
        return refusal.sentence
    finally:
        await store.aclose()
    return ""


async def test_a_server_that_keeps_everything_is_accepted(tmp_path: Path) -> None:
    assert await _refusal(tmp_path, appendonly=True) == ("", "")


async def test_a_server_without_a_file_is_refused_unless_it_may_forget(tmp_path: Path) -> None:
    refusal, told = await _refusal(tmp_path, appendonly=False)
    assert "append-only file" in refusal
    assert "OCPFLEET_ALLOW_VOLATILE_STORE" in refusal
    assert not told


async def test_a_server_that_evicts_is_refused_unless_it_may_forget(tmp_path: Path) -> None:
    extra = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]
    refusal, told = await _refusal(tmp_path, appendonly=True, extra=extra)
    assert "maxmemory-policy allkeys-lru" in refusal
    assert not told


async def test_a_cluster_is_refused_whatever_one_is_told(tmp_path: Path) -> None:
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(reserve_port())]  # by default its port + 10,000
    refusal, told = await _refusal(tmp_path, appendonly=True, extra=cluster)
    assert "Redis Cluster" in refusal
    assert told == refusal


async def test_without_the_replica_that_is_asked_for_a_task_is_withdrawn(tmp_path: Path) -> None:
    options = StoreOptions(replicas=1, timeout=0.6)
    with ValkeyServer(tmp_path) as server:
        store = Store.at(server.url(), options)
        with pytest.raises(StoreUnavailable, match="0 of the 1 replicas"):
            await store.tasks.create(draft())
        assert await store.tasks.head(1) is None
        async with Redis.from_url(server.url(), decode_responses=True) as client:
            assert [name async for name in client.scan_iter(match="ocpfleet:task*")] == []
        await store.aclose()


async def test_with_the_replica_that_is_asked_for_a_task_is_on_both(tmp_path: Path) -> None:
    with (
        ValkeyServer(tmp_path / "primary", extra=["--repl-diskless-sync-delay", "0"]) as primary,
        ValkeyServer(tmp_path / "replica", extra=["--replicaof", "127.0.0.1", str(primary.port)]) as replica,
    ):
        await _connected(primary)
        store = Store.at(primary.url(), StoreOptions(replicas=1))
        task = await store.tasks.create(draft((1, 2)))
        copy = Store.at(replica.url(), StoreOptions())
        assert await copy.tasks.head(task.id) == task
        assert await copy.tasks.host_ids(task.id) == (1, 2)
        await copy.aclose()
        await store.aclose()


async def test_a_request_made_again_is_not_answered_either_without_the_replica(tmp_path: Path) -> None:
    once = Once("key", "ab12")
    with ValkeyServer(tmp_path) as server:
        async with aclosing(Store.at(server.url(), StoreOptions(replicas=1, timeout=4))) as store:
            first = asyncio.create_task(store.tasks.create_once(draft(), once))
            await eventually(lambda: store.tasks.head(1), 10, "the task to be stored")
            with pytest.raises(StoreUnavailable, match=r"0 of the 1 replicas .* It is there all the same"):
                await store.tasks.create_once(draft(), once)
            with pytest.raises(StoreUnavailable, match=r"0 of the 1 replicas .* It is there all the same"):
                await first
            assert await store.tasks.head(1) is not None


async def test_a_request_made_again_is_answered_once_the_replica_has_its_task(tmp_path: Path) -> None:
    once = Once("key", "ab12")
    with ValkeyServer(tmp_path / "primary", extra=["--repl-diskless-sync-delay", "0"]) as primary:
        async with (
            aclosing(Store.at(primary.url(), StoreOptions())) as trusting,
            aclosing(Store.at(primary.url(), StoreOptions(replicas=1, timeout=0.6))) as hasty,
            aclosing(Store.at(primary.url(), StoreOptions(replicas=1, timeout=30))) as store,
        ):
            task = await trusting.tasks.create_once(draft((1, 2)), once)
            assert isinstance(task, TaskRecord)
            with pytest.raises(StoreUnavailable):
                await hasty.tasks.create_once(draft((1, 2)), once)
            with ValkeyServer(tmp_path / "replica", extra=["--replicaof", "127.0.0.1", str(primary.port)]):
                await _connected(primary)
                assert await store.tasks.create_once(draft((1, 2)), once) == Known(task)


async def _connected(primary: ValkeyServer) -> None:
    async with Redis.from_url(primary.url(), decode_responses=True) as client:

        async def online() -> bool:
            return "online" in str((await client.info("replication")).get("slave0"))

        await eventually(online, 30, "the replica is in step with its primary")


async def test_sentinels_name_the_primary(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "primary") as primary:
        port = reserve_port()
        config = tmp_path / "sentinel.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor fleet 127.0.0.1 {primary.port} 1\n")
        with ValkeyServer(tmp_path / "sentinel", port=port, config=config, extra=["--sentinel"]):
            store = Store.at(f"sentinel://127.0.0.1:{port}/fleet?db=3", StoreOptions())
            await store.check()
            task = await store.tasks.create(draft())
            assert await store.tasks.head(task.id) == task
            async with Redis.from_url(primary.url(3)) as client:
                assert await client.exists(f"ocpfleet:task:{task.id}")
            await store.aclose()
        with pytest.raises(StoreUnavailable):
            await Store.at(f"sentinel://127.0.0.1:{port}/fleet", StoreOptions(timeout=0.5)).ping()
