"""Watching tasks over real HTTP on a real store: resume, reset, end, pace, outage, one reader however many watch."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from redis.asyncio import Redis

from core.claim import Worker
from core.errors import StoreUnavailable
from core.transition import Failed, Succeeded
from infra.store import keys
from infra.store.task_values import ClaimRequest
from tests.support.http import Message, Served, serving
from tests.support.records import NOW, draft, run_log
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.claim import Claim
    from core.journal import RunLog
    from core.record import TaskRecord

WORKER = Worker(1, "w")


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path) as running:
        yield running


@pytest.fixture
async def api(valkey: ValkeyServer) -> AsyncIterator[Served]:
    async with serving(valkey.url()) as served:
        yield served


async def claim(api: Served, task: TaskRecord, limit: int = 1, step: int = 0) -> tuple[Claim, ...]:
    request = ClaimRequest(limit)
    return (await api.store.tasks.advance(task, task.plan.steps[step], WORKER, NOW, claim=request))[1].granted


async def settle(api: Served, task: TaskRecord, claims: tuple[Claim, ...], *, well: bool, step: int = 0) -> None:
    kind = Succeeded if well else Failed
    results = [kind(one.series_id, one.token, run_log()) for one in claims]
    await api.store.tasks.advance(task, task.plan.steps[step], WORKER, NOW, settled=results)


def changed(messages: list[Message]) -> list[dict[str, Any]]:
    return [change for message in messages for change in message.data.get("changes", [])]


async def next_of(messages: AsyncIterator[Message]) -> Message:
    return await asyncio.wait_for(anext(messages), 10)


async def test_a_watched_task_is_told_from_its_first_claim_to_its_end(api: Served) -> None:
    task = await api.store.tasks.create(draft((7, 8, 9)))
    first = task.first_subtask_id
    async with api.watching(task.id) as messages:
        snapshot = await next_of(messages)
        assert (snapshot.kind, snapshot.data["status"], snapshot.data["failedHostIds"]) == ("snapshot", "RUNNING", [])
        assert snapshot.data["progress"][0] == {"name": "Prepare stop OCP agent", "subtasks": {"READY": 3}}
        claims = await claim(api, task, 3)
        progress = await next_of(messages)
        assert (progress.kind, progress.data["progress"][0]["subtasks"]) == ("progress", {"RUNNING": 3})
        (change,) = progress.data["changes"]
        assert (change["step"], change["subtasks"]) == (0, {"RUNNING": [[first, first + 2]]})
        await settle(api, task, claims[:1], well=True)
        await settle(api, task, claims[1:], well=False)
        rest = [message async for message in messages]
    assert {message.kind for message in rest[:-1]} <= {"progress"}
    assert rest[-1].kind == "end"
    end = rest[-1].data
    assert (end["status"], end["failedHostIds"], end["failedHostCount"]) == ("FAILED", [8, 9], 2)
    assert end["progress"][0]["subtasks"] == {"FAILED": 2, "SUCCESSFUL": 1}
    assert [change["subtasks"] for change in changed(rest)] == [
        {"SUCCESSFUL": [[first, first]]},
        {"FAILED": [[first + 1, first + 2]]},
    ]
    assert changed(rest)[-1]["status"] == "FAILED"
    again = await api.all_messages(task.id)
    assert [message.kind for message in again] == ["end"]
    assert again[0].data == {name: value for name, value in end.items() if name != "changes"}
    path = f"/api/v2/tasks/instances/{task.id}/events"
    seen = await api.client.get(path, headers={"Last-Event-ID": rest[-1].id or ""})
    assert (seen.status_code, seen.content) == (204, b"")
    await eventually(lambda: api.hub.watchers == 0, 5, "nobody watches")


async def test_a_client_that_comes_back_hears_what_it_missed_and_no_more(api: Served) -> None:
    task = await api.store.tasks.create(draft(range(1, 11)))
    async with api.watching(task.id) as messages:
        await next_of(messages)
        await claim(api, task)
        known = await next_of(messages)
    for _ in range(3):
        await claim(api, task)
    async with api.watching(task.id, known.id) as messages:
        missed = await next_of(messages)
    first = task.first_subtask_id
    assert missed.kind == "progress"
    assert [change["subtasks"] for change in missed.data["changes"]] == [
        {"RUNNING": [[first + number, first + number]]} for number in (1, 2, 3)
    ]


async def test_an_id_that_is_not_known_any_more_gets_a_reset_and_a_snapshot(api: Served, valkey: ValkeyServer) -> None:
    task = await api.store.tasks.create(draft(range(1, 11)))
    old = (await api.store.tasks.events(task.id))[0].id
    claims = await claim(api, task, 2)
    await settle(api, task, claims[:1], well=False)
    async with Redis.from_url(valkey.url()) as client:
        await client.xtrim(keys.events(task.id), maxlen=1, approximate=False)
    for stale in (old, "99999999999999999-0", "nonsense"):
        async with api.watching(task.id, stale) as messages:
            reset, snapshot = await next_of(messages), await next_of(messages)
        assert (reset.kind, reset.id) == ("reset", None)
        assert stale in reset.data["message"]
        assert (snapshot.kind, snapshot.data["failedHostIds"]) == ("snapshot", [1])
        assert snapshot.data["progress"][0]["subtasks"] == {"FAILED": 1, "READY": 8, "RUNNING": 1}


async def test_at_most_four_messages_a_second_with_all_changes(api: Served) -> None:
    task = await api.store.tasks.create(draft(range(1, 101)))
    received: list[Message] = []

    async def watch() -> None:
        async with api.watching(task.id) as messages:
            async for message in messages:
                received.append(message)  # noqa: PERF401 - looked at meanwhile

    watcher = asyncio.create_task(watch())
    await eventually(lambda: received, 10, "the snapshot came")
    for _ in range(99):
        await settle(api, task, await claim(api, task), well=True)
        await asyncio.sleep(0.01)
    await settle(api, task, await claim(api, task), well=False)
    await watcher
    gaps = [later.at - sooner.at for sooner, later in pairwise(received)]
    assert min(gaps) > 0.15, "a quarter of a second apart where they are sent"
    assert len(received) <= (received[-1].at - received[0].at) / 0.25 + 2
    subtasks = [change["subtasks"] for change in changed(received)]
    assert len(subtasks) == 200, "a claim and a result each, none lost and none twice"
    print(f"200 changes in {received[-1].at - received[0].at:.1f} s: {len(received)} messages")


async def test_two_hundred_watchers_have_one_reader(api: Served, valkey: ValkeyServer) -> None:
    tasks = [await api.store.tasks.create(draft(range(1, 4))) for _ in range(4)]
    heard: list[list[Message]] = [[] for _ in range(200)]
    await api.client.get("/api/v2/tasks/instances")  # the password is proved once, not two hundred times at once

    async def watch(number: int) -> None:
        async with api.watching(tasks[number % 4].id) as messages:
            async for message in messages:
                heard[number].append(message)

    async with Redis.from_url(valkey.url(), decode_responses=True) as client:

        async def reads() -> tuple[int, int]:
            stats = await client.info("commandstats")
            every = sum(entry["calls"] for entry in stats.values())
            return stats.get("cmdstat_xread", {"calls": 0})["calls"], every

        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(watch(number))
            await eventually(lambda: all(heard), 30, "everybody has a snapshot")
            assert api.hub.watchers == 200
            blocked = [one for one in await client.client_list() if one["cmd"] == "xread"]
            assert len(blocked) == 1
            (reads_before, all_before), began = await reads(), asyncio.get_running_loop().time()
            await asyncio.sleep(2)
            (reads_after, all_after), took = await reads(), asyncio.get_running_loop().time() - began
            print(
                f"200 watchers of 4 quiet tasks: {(reads_after - reads_before) / took:.1f} XREAD/s, "
                f"{(all_after - all_before) / took:.1f} commands/s, {len(await client.client_list())} connections"
            )
            assert reads_after - reads_before <= took * 5
            assert all_after - all_before <= took * 6
            claims = [await claim(api, task, 3) for task in tasks]
            await eventually(lambda: all(len(one) > 1 for one in heard), 30, "everybody heard of the claims")
            for task, granted in zip(tasks, claims, strict=True):
                await settle(api, task, granted, well=False)
        assert {one[-1].kind for one in heard} == {"end"}
        await eventually(lambda: api.hub.watchers == 0, 5, "nobody watches")
        await asyncio.sleep(0.5)
        before = await reads()
        await asyncio.sleep(0.5)
        assert (await reads())[0] == before[0], "nothing is read where nobody watches"


async def test_a_watcher_that_does_not_read_holds_nobody_up(api: Served) -> None:
    task = await api.store.tasks.create(draft(range(1, 1001)))
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=2**10)
    path = f"/api/v2/tasks/instances/{task.id}/events"
    secret = b64encode(b"admin:admin-password").decode()
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {secret}\r\n\r\n"
    writer.write(request.encode())
    await eventually(lambda: api.hub.watchers == 1, 10, "the slow one watches")
    async with api.watching(task.id) as messages:
        await next_of(messages)
        for _ in range(3):
            await claim(api, task, 100)
            assert (await next_of(messages)).kind == "progress"
    assert reader is not None
    writer.close()
    await eventually(lambda: api.hub.watchers == 0, 10, "both have left")


async def test_without_the_store_the_stream_ends_and_goes_on_later(valkey: ValkeyServer) -> None:
    async with serving(valkey.url()) as api:
        task = await api.store.tasks.create(draft((1, 2)))
        async with api.watching(task.id) as messages:
            snapshot = await next_of(messages)
            valkey.kill()
            rest = [message async for message in messages]
        assert [message.kind for message in rest] == ["unavailable"]
        assert "Last-Event-ID" in rest[0].data["message"]
        refused = await api.client.get(f"/api/v2/tasks/instances/{task.id}/events")
        assert refused.status_code == 503
        valkey.restart()
        await claim(api, task)
        async with api.watching(task.id, snapshot.id) as messages:
            missed = await next_of(messages)
        assert (missed.kind, len(missed.data["changes"])) == ("progress", 1)


async def test_so_many_may_watch_and_no_more(valkey: ValkeyServer) -> None:
    async with serving(valkey.url(), max_watchers=2) as api:
        task = await api.store.tasks.create(draft((1, 2)))
        path = f"/api/v2/tasks/instances/{task.id}/events"
        async with api.watching(task.id) as first, api.watching(task.id) as second:
            await next_of(first)
            await next_of(second)
            refused = await api.client.get(path)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert "OCPFLEET_MAX_WATCHERS" in refused.json()["error"]["message"]
        await eventually(lambda: api.hub.watchers == 0, 10, "both have left")
        async with api.watching(task.id) as messages:
            assert (await next_of(messages)).kind == "snapshot"


async def test_an_archive_whose_logs_cannot_be_read_is_cut_off(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await api.store.tasks.create(draft((1,)))

    async def every_log(_: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        yield 0, run_log()
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(api.store.tasks, "every_log", every_log)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.client.post(f"/api/v2/tasks/instances/{task.id}/downloadDiagnosis")
    assert (await api.client.get(f"/api/v2/tasks/instances/{task.id}")).status_code == 200


async def test_who_may_watch_what(api: Served) -> None:
    assert (await api.client.get("/api/v2/tasks/instances/99/events")).status_code == 404
    anonymous = await api.client.get("/api/v2/tasks/instances/99/events", auth=("admin", "wrong"))
    assert anonymous.status_code == 401
    assert api.hub.watchers == 0


async def test_a_server_that_stops_ends_its_streams_at_once(api: Served) -> None:
    task = await api.store.tasks.create(draft((1, 2)))
    async with api.watching(task.id) as messages:
        await next_of(messages)
        began = asyncio.get_running_loop().time()
        api.server.should_exit = True
        rest = [message async for message in messages]
    assert [message.kind for message in rest] == ["unavailable"]
    assert asyncio.get_running_loop().time() - began < 5
