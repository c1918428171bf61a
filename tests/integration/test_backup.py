"""A backup taken from a real server in mid-work, restored into an empty one, where everything ends."""

from __future__ import annotations

import asyncio
import gzip
import os
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from core.audit import AuditEntry, Proof
from core.brake import Brake
from core.claim import ClaimVerdict
from core.errors import Conflict, InvalidRequest, Misconfigured
from core.record import TaskRecord
from core.status import Status, TaskStatus
from core.transition import Succeeded
from core.user import Role, User
from infra.store import Store, keys
from infra.store.backup import backupfile
from infra.store.backup.backup import Restore, back_up, restore
from infra.store.task_values import ClaimRequest, Course, Known, Once
from infra.store.values import StoreOptions
from tests.support.records import NOW, STOP, draft, entry, run_log
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually
from tests.support.work import (
    GatedExecutor,
    make_prepared_task,
    make_task,
    make_work,
    run_all_steps,
    run_lane,
    send_step,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.record import SubtaskRecord
    from infra.store.backup.backupfile import Contents

BRAKE = Brake("ocpfleet restore", NOW, "look first")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "old") as server:
        yield server


@pytest.fixture
def new(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "new") as server:
        yield server


@asynccontextmanager
async def store_on(server: ValkeyServer, database: int = 0) -> AsyncIterator[Store]:
    store = Store.at(server.url(database), StoreOptions())
    try:
        yield store
    finally:
        await store.aclose()


async def backed_up(server: ValkeyServer, path: Path, database: int = 0) -> Contents:
    async with Redis.from_url(server.url(database), decode_responses=True) as client:
        return await back_up(client, path, NOW)


async def restored(server: ValkeyServer, path: Path, *, replace: bool = False, brake: Brake | None = BRAKE) -> Contents:
    async with Redis.from_url(server.url(), decode_responses=True) as client:
        return await restore(client, Restore(path, round(time.time() * 1000), replace, brake))


async def head_of(store: Store, task: TaskRecord) -> TaskRecord:
    head = await store.tasks.head(task.id)
    assert head is not None
    return head


async def stops_with(store: Store, task: TaskRecord, status: Status) -> int:
    return (await head_of(store, task)).counts.get((STOP, status), 0)


async def test_from_the_middle_of_the_work_to_its_end(old: ValkeyServer, new: ValkeyServer, tmp_path: Path) -> None:
    gates = {host_id: asyncio.Event() for host_id in (1, 2)}
    async with store_on(old) as store:
        work = await make_work(store, GatedExecutor(held=gates), max_lanes=1, lane_window=4)
        ended = await run_all_steps(work, await make_task(work, [21, 22]))
        waiting = await make_task(work, [31, 32])
        await send_step(work, waiting, 0)
        task = await make_prepared_task(work, range(1, 11))
        running = asyncio.create_task(run_lane(work, task))
        await eventually(lambda: _done(store, task, 8), 10, "eight of ten stops to be recorded")
        contents = await backed_up(old, tmp_path / "backup")
        assert (contents.tasks, contents.hosts) == (3, 14)
        former = await store.tasks.subtasks(task)
        for gate in gates.values():
            gate.set()
        assert await running == (3, False), "the old life goes on beyond the backup, and that is lost"

    assert await restored(new, tmp_path / "backup") == contents
    async with store_on(new) as store:
        await store.check()
        restored_end = await head_of(store, ended)
        assert restored_end == replace(ended, changes=restored_end.changes)
        assert restored_end.changes > ended.changes, "no client's ETag fits"
        assert await store.tasks.host_ids(task.id) == tuple(range(1, 11))
        assert (await store.hosts.get((1,)))[1].holder == task.id
        await _nothing_of_the_old_life_counts(store, task, former)

        executor = GatedExecutor()
        work = await make_work(store, executor)
        assert await run_lane(work, task) == (None, False)
        await send_step(work, waiting, 1)
        assert executor.order == [], "the brake is on"
        assert (await head_of(store, waiting)).current_step == 1
        assert await store.brake.release() == BRAKE

        # What ran when the backup was taken is run by nobody: the worker of the former life is not alive.
        assert await store.tasks.cancel(await head_of(store, task), NOW) is True
        await store.tasks.change_course(await head_of(store, task), Course.RETRY, NOW)
        assert await run_lane(work, task) == (3, False)
        assert sorted(executor.order) == [1, 2]
        for index in (3, 4):
            await send_step(work, task, index)
        for index in range(1, 5):
            if (await send_step(work, waiting, index)).lanes:
                await run_lane(work, waiting, index)
        ends = [(await head_of(store, one)).status for one in (task, waiting)]
        assert ends == [TaskStatus.SUCCESSFUL] * 2
        assert all(host.holder is None for host in (await store.hosts.page(0, 20)).items)


async def _done(store: Store, task: TaskRecord, number: int) -> bool:
    return await stops_with(store, task, Status.SUCCESSFUL) == number


async def _nothing_of_the_old_life_counts(store: Store, task: TaskRecord, former: dict[int, SubtaskRecord]) -> None:
    """See that no claim of the old life stands, and that no number of it is given again."""
    now = await store.tasks.subtasks(task)
    running = {sid: record for sid, record in now.items() if record.status is Status.RUNNING}
    assert len(running) == 2
    worker = await store.workers.enrol("worker-2@test")
    assert worker.id > 10**6, "a worker that was not stopped has a number of its own"
    for sid, record in running.items():
        token = former[sid].token
        assert record.token is not None
        assert token is not None
        assert record.token > 2**50 > token
        late = [Succeeded(sid, token, run_log(1, "well"))]
        settlement, _ = await store.tasks.advance(task, task.plan.steps[STOP], worker, NOW, settled=late)
        assert settlement.stale == (sid,)
    made = await store.tasks.create(draft((21,)))
    assert made.id > 10**6
    assert made.first_subtask_id > 10**10
    assert await store.tasks.withdraw(made.id)


async def test_claims_after_a_restore_have_tokens_beyond_those_of_every_life(
    old: ValkeyServer, new: ValkeyServer, tmp_path: Path
) -> None:
    tokens: list[int] = []
    servers = [old, new]
    async with store_on(old) as store:
        task = await store.tasks.create(draft(range(1, 11)))
    for life in range(4):
        async with store_on(servers[life % 2]) as store:
            worker = await store.workers.enrol("worker-1@test")
            planned = task.plan.steps[0]
            _, claims = await store.tasks.advance(task, planned, worker, NOW, claim=ClaimRequest(2))
            assert claims.verdict is ClaimVerdict.GRANTED
            tokens += [claim.token for claim in claims.granted]
            results = [Succeeded(claim.series_id, claim.token, run_log(1, "well")) for claim in claims.granted]
            settlement, _ = await store.tasks.advance(task, planned, worker, NOW, settled=results)
            assert settlement.stale == ()
        await backed_up(servers[life % 2], tmp_path / f"backup-{life}")
        await asyncio.sleep(1)  # lives begin in different seconds
        await restored(servers[(life + 1) % 2], tmp_path / f"backup-{life}", replace=True, brake=None)
    assert len(set(tokens)) == len(tokens) == 8
    assert tokens == sorted(tokens)
    assert max(tokens) < 2**53


async def test_everything_is_kept_with_the_time_for_which_it_is(
    old: ValkeyServer, new: ValkeyServer, tmp_path: Path
) -> None:
    once = Once("night-shift-7", "ab" * 32)
    async with store_on(old) as store:
        await store.hosts.put([entry(1, key="ssh-ed25519 AAAA", alias="zürich-1"), entry(2**63 - 1)], NOW)
        await store.hosts.protect((2**63 - 1,), NOW)
        await store.users.put(User(0, "admin", "$argon2id$hash", frozenset({Role.ADMIN})))
        for number in range(700):
            await store.audit.append(AuditEntry(NOW + number, "admin", Proof.PASSWORD, None, "127.0.0.1", "POST", "/x"))
        task = await store.tasks.create_once(draft((1,)), once)
        assert isinstance(task, TaskRecord)
        await store.guard.count(("login:x",), 60_000)
        work = await make_work(store)
        many = await make_prepared_task(work, range(100, 1300))
        await run_lane(work, many)
        before = await _everything(store, many)
    async with Redis.from_url(old.url()) as client:
        left = await _read_expiry_times(client)
    contents = await backed_up(old, tmp_path / "backup")
    await restored(new, tmp_path / "backup", brake=None)

    async with store_on(new) as store:
        assert await _everything(store, many) == before
        again = await store.tasks.create_once(draft((1,)), once)
        assert isinstance(again, Known)
        assert again.task.id == task.id
    async with Redis.from_url(new.url()) as client:
        found = await _read_expiry_times(client)
    assert found == {key: until for key, until in left.items() if b":alive:" not in key}
    assert contents.keys == len(found)


async def _everything(store: Store, task: TaskRecord) -> list[object]:
    return [
        (await store.hosts.page(0, 2000)).items,
        await store.hosts.aliases(),
        await store.users.all(),
        await store.audit.page(0, 1000),
        await store.guard.read_counters(("login:x",)) != (),
        await store.tasks.host_ids(task.id),
        await store.tasks.subtasks(task),
        [log async for log in store.tasks.every_log(task)],
        await store.tasks.events(task.id),
        (await head_of(store, task)).counts,
    ]


async def test_a_record_that_is_there_is_replaced_on_a_persons_word_only(
    old: ValkeyServer, new: ValkeyServer, tmp_path: Path
) -> None:
    async with store_on(old) as store:
        await store.hosts.put([entry(1)], NOW)
    await backed_up(old, tmp_path / "backup")
    async with store_on(new) as store:
        await store.hosts.put([entry(2)], NOW)
        worker = await store.workers.enrol("worker-1@test")
        await store.workers.beat(worker, 60_000)
        with pytest.raises(Conflict, match="1 workers are alive in the store"):
            await restored(new, tmp_path / "backup", replace=True)
        await store.workers.leave(worker)
        with pytest.raises(Conflict, match="There is a record in the store already"):
            await restored(new, tmp_path / "backup")
        assert await store.hosts.unknown((1, 2)) == (1,), "nothing was changed"
        async with Redis.from_url(new.url()) as client:
            await client.set("somebody-elses", "1")
        await restored(new, tmp_path / "backup", replace=True)
        assert await store.hosts.unknown((1, 2)) == (2,)
        async with Redis.from_url(new.url()) as client:
            assert await client.get("somebody-elses") == b"1"


async def test_a_restore_that_broke_off_lets_nobody_start(old: ValkeyServer, tmp_path: Path) -> None:
    async with store_on(old) as store:
        await store.hosts.put([entry(1)], NOW)
        await backed_up(old, tmp_path / "backup")
        async with Redis.from_url(old.url()) as client:
            await client.set(keys.RESTORING, "backup")
        with pytest.raises(Misconfigured, match="The record at OCPFLEET_REDIS_URL is not whole"):
            await store.check()
        with pytest.raises(Misconfigured, match="The record is not whole"):
            await backed_up(old, tmp_path / "another")
        assert not (tmp_path / "another").exists()
        await restored(old, tmp_path / "backup", replace=True)
        await store.check()


async def test_the_file_is_private_and_none_is_overwritten(old: ValkeyServer, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    await backed_up(old, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InvalidRequest, match="is there already"):
        await backed_up(old, path)
    assert sorted(os.listdir(tmp_path)) == ["backup", "old"], "nothing is left beside it"  # noqa: PTH208 - not async


async def test_only_the_records_own_database_is_backed_up(old: ValkeyServer, tmp_path: Path) -> None:
    async with store_on(old, 3) as store:
        await store.hosts.put([entry(1)], NOW)
    assert (await backed_up(old, tmp_path / "backup-3", 3)).hosts == 1
    assert (await backed_up(old, tmp_path / "backup-0")).keys == 0


async def test_what_is_damaged_is_not_restored(old: ValkeyServer, new: ValkeyServer, tmp_path: Path) -> None:
    async with store_on(old) as store:
        await store.hosts.put(map(entry, range(1, 50)), NOW)
    path = tmp_path / "backup"
    contents = await backed_up(old, path)
    assert backupfile.verify(path) == contents
    whole = path.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    broken = {
        "cut off": whole[: len(whole) // 2],
        "a byte": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "a line less": gzip.compress(b"".join(lines[:3] + lines[4:])),
        "no last line": gzip.compress(b"".join(lines[:-1])),
        "no backup": b"id,innerIpAddress\n",
        "empty": b"",
        "newer": gzip.compress(b"".join([lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]])),
    }
    for what, data in broken.items():
        path.write_bytes(data)
        with pytest.raises(InvalidRequest) as refused:
            await restored(new, path)
        assert refused.value.sentence.startswith(str(path)), what
    async with Redis.from_url(new.url()) as client:
        assert await client.dbsize() == 0


@pytest.mark.alone
async def test_writes_while_the_backup_is_taken_are_in_it_whole_or_not_at_all(
    old: ValkeyServer, new: ValkeyServer, tmp_path: Path
) -> None:
    longest = 0.0
    async with store_on(old) as store:
        work = await make_work(store)
        task = await make_task(work, range(1, 3001))

        async def busy() -> None:
            nonlocal longest
            while True:
                began = time.perf_counter()
                await store.tasks.create(draft((1, 2, 3)))
                longest = max(longest, time.perf_counter() - began)

        writing = asyncio.create_task(busy())
        await send_step(work, task, 0)
        await backed_up(old, tmp_path / "backup")
        writing.cancel()
        await asyncio.wait([writing])
    await restored(new, tmp_path / "backup")
    async with store_on(new) as store:
        head = await head_of(store, task)
        stored = await store.tasks.subtasks(head)
        counts = [record.status for record in stored.values()]
        assert head.counts == {(0, status): counts.count(status) for status in set(counts)}
    async with Redis.from_url(new.url(), decode_responses=True) as client:
        last = int(await client.get("ocpfleet:seq:task") or 0) - 10**6
        assert await client.zcard("ocpfleet:tasks") == last
        assert await client.exists(*(keys.task(number) for number in range(1, last + 1))) == last
    assert longest < 1.0, "the store serves the others meanwhile"


async def _read_expiry_times(client: Redis) -> dict[bytes, int]:
    """Return when each key of the record expires, in milliseconds since the epoch; -1 for never."""
    keys: list[bytes] = await client.execute_command("KEYS", "ocpfleet:*")
    return {key: await client.execute_command("PEXPIRETIME", key) for key in keys}
