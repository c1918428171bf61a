"""What a watcher is sent, without a server: pace, silence, resets, shared messages, and what happens on the way in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from app.http.language.choice import Language
from app.tasks.progress_views import MAX_NAMED
from app.tasks.watch.channel import MAX_EVENTS, Channel
from app.tasks.watch.hub import STOPPING, Hub
from app.tasks.watch.pace import StreamPace
from app.tasks.watch.stream import generate_messages
from core.errors import StoreUnavailable, TaskNotFound, Unavailable
from core.event import NO_EVENT, TaskEvent, parse_cursor
from core.record import TaskRecord
from core.status import Status, TaskStatus
from tests.support.api import Api
from tests.support.failing import FailingPart, FailingStore
from tests.support.fake_store import FakeStore, expire_task
from tests.support.records import NOW, PREPARE, advance, claim_step, draft, head, make_failures, make_successes, settle
from tests.support.waiting import eventually

QUICK = StreamPace(between=0.01, silence=0.05)


@pytest.fixture
async def store() -> AsyncIterator[FailingStore]:
    store = FailingStore()
    yield store
    await store.aclose()


@pytest.fixture
async def hub(store: FakeStore) -> AsyncIterator[Hub]:
    hub = Hub(store, 3)
    yield hub
    await hub.aclose()


async def opened(store: FakeStore, hub: Hub, hosts: int = 3) -> tuple[TaskRecord, Channel]:
    task = await store.tasks.create(draft(range(1, hosts + 1)))
    return task, await hub.join(task)


def parsed(message: bytes) -> tuple[str, str | None, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in message.decode().strip().split("\n"))
    return fields["event"], fields.get("id"), orjson.loads(fields["data"])


async def test_silence_is_broken_by_comments(store: FakeStore, hub: Hub) -> None:
    _, channel = await opened(store, hub)
    told = generate_messages(channel, None, QUICK)
    assert await anext(told) == b"retry: 2000\n\n"
    assert parsed(await anext(told))[0] == "snapshot"
    assert await anext(told) == b": nothing happened\n\n"
    assert await anext(told) == b": nothing happened\n\n"


async def test_a_slow_watcher_hears_everything_at_once_and_holds_nobody_up(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub, hosts=5)
    slow, quick = generate_messages(channel, None, QUICK), generate_messages(channel, None, QUICK)
    for one in (slow, slow, quick, quick):
        await anext(one)
    for number in range(5):
        await advance(store, task, PREPARE, claim=1)
        while b"changes" not in (told := await anext(quick)):
            pass
        assert parsed(told)[2]["progress"][0]["subtasks"]["RUNNING"] == number + 1
    kind, _, data = parsed(await anext(slow))
    assert (kind, len(data["changes"])) == ("progress", 5)


async def test_a_watcher_is_told_in_its_language_why_the_stream_ends(store: FakeStore, hub: Hub) -> None:
    _, channel = await opened(store, hub)
    hub.stop()
    told = [message async for message in generate_messages(channel, "7-0", QUICK, Language.CHINESE)]
    assert [parsed(message)[2]["message"] for message in (told[0], told[-1])] == [
        "'7-0' 之后发生的变化已不可知。请丢弃已有的信息：下一条消息会给出任务的当前状态。",
        "本服务器正在停止。请带 Last-Event-ID 重新连接，由其他服务器继续。",
    ]


async def test_after_an_hour_a_client_has_to_connect_again(store: FakeStore, hub: Hub) -> None:
    _, channel = await opened(store, hub)
    told = [
        message
        async for message in generate_messages(channel, None, StreamPace(between=0.01, silence=0.05, lasting=0.1))
    ]
    kind, event_id, data = parsed(told[-1])
    assert (kind, event_id) == ("unavailable", None)
    assert "Connect again with Last-Event-ID" in data["message"]


async def test_watchers_at_the_same_place_share_one_message(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    told = [generate_messages(channel, None, QUICK) for _ in range(2)]
    for one in told:
        await anext(one)
    assert await anext(told[0]) is await anext(told[1])
    await claim_step(store, task, PREPARE)
    first, second = await asyncio.gather(*(anext(one) for one in told))
    assert first is second
    assert parsed(first)[0] == "progress"


async def test_a_retried_host_does_not_count_as_failed(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    claims = await claim_step(store, task, PREPARE)
    await settle(store, task, PREPARE, make_failures(claims[:2]))
    await eventually(lambda: list(channel.list_failed_hosts()) == [1, 2], 5, "two hosts failed")
    again = TaskEvent("9999-0", NOW, 0, {Status.READY: ((0, 0),)})
    channel.add([again], await head(store, task))
    assert list(channel.list_failed_hosts()) == [2]


async def test_more_failed_hosts_than_a_message_names(store: FakeStore, hub: Hub) -> None:
    task = await store.tasks.create(draft(range(1, MAX_NAMED + 11)))
    await settle(store, task, PREPARE, make_failures(await claim_step(store, task, PREPARE)))
    told = generate_messages(await hub.join(task), None, QUICK)
    await anext(told)
    kind, _, data = parsed(await anext(told))
    assert (kind, data["failedHostCount"], len(data["failedHostIds"])) == ("end", MAX_NAMED + 10, MAX_NAMED)
    with pytest.raises(StopAsyncIteration):
        await anext(told)


async def test_who_missed_more_than_is_remembered_starts_again(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    known = channel.last_id
    told = generate_messages(channel, None, QUICK)
    await anext(told)
    await anext(told)
    many = [TaskEvent(f"{number}-0", NOW, 0, {Status.RUNNING: ((0, 0),)}) for number in range(10, MAX_EVENTS + 20)]
    channel.add(many, await head(store, task))
    assert not channel.has_all_since(known)
    kind, event_id, data = parsed(await anext(told))
    assert (kind, event_id) == ("snapshot", many[-1].id)
    assert "changes" not in data


async def test_a_task_is_over_only_when_head_and_events_say_so(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub, hosts=1)
    await settle(store, task, PREPARE, make_failures(await claim_step(store, task, PREPARE)))
    ended = await head(store, task)
    other = Channel(task, (1,), (await store.tasks.events(task.id))[:1], {})
    other.add((), ended)
    assert not other.is_over, "what led to the end was not told yet"
    other.add((await store.tasks.events(task.id))[1:], ended)
    assert other.is_over
    await eventually(lambda: channel.is_over, 5, "the reader saw the end")


async def test_a_task_that_vanishes_ends_its_streams(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    await advance(store, task, PREPARE, claim=1)
    await eventually(lambda: channel.task.changes == 2, 5, "the claim was read")
    await expire_task(store, task.id)
    hub._distribute((task.id,), {}, {})  # noqa: SLF001 - what the reader does when it looks again
    told = generate_messages(channel, None, QUICK)
    await anext(told)
    assert parsed(await anext(told)) == (
        "unavailable",
        None,
        {"message": f"Task {task.id} no longer exists: it was withdrawn or has expired."},
    )
    with pytest.raises(TaskNotFound):
        await hub.join(task)


async def test_an_outage_ends_every_stream_and_the_next_watcher_starts_anew(store: FailingStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    store.broken_tasks = FailingPart(store.tasks, "follow")
    await eventually(lambda: channel.closing, 5, "the reader met the outage")
    assert "The store does not answer. Connect again" in str(channel.closing)
    hub.leave(channel)
    store.broken_tasks = FailingPart(store.tasks, "events", fault=StoreUnavailable("no"))
    with pytest.raises(StoreUnavailable):
        await hub.join(task)
    store.broken_tasks = None
    again = await hub.join(task)
    assert again is not channel
    assert again.closing is None
    assert hub.watchers == 1


async def test_a_fault_of_ours_ends_every_stream_too(store: FailingStore, hub: Hub) -> None:
    _, channel = await opened(store, hub)
    store.broken_tasks = FailingPart(store.tasks, "follow", fault=ZeroDivisionError("bug"))
    await eventually(lambda: channel.closing, 5, "the reader met the fault")


async def test_who_leaves_on_the_way_in_leaves_nothing_behind(store: FakeStore, hub: Hub) -> None:
    task = await store.tasks.create(draft())
    joining = asyncio.create_task(hub.join(task))
    await asyncio.sleep(0)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    await eventually(lambda: not hub._channels and not hub._joining, 5, "nothing is open")  # noqa: SLF001
    assert hub.watchers == 0


async def test_there_is_room_for_so_many_and_a_stopping_server_has_none(store: FakeStore, hub: Hub) -> None:
    task, channel = await opened(store, hub)
    for _ in range(2):
        assert await hub.join(task) is channel
    with pytest.raises(Unavailable, match="OCPFLEET_MAX_WATCHERS"):
        await hub.join(task)
    hub.leave(channel)
    hub.stop()
    assert channel.closing == STOPPING
    with pytest.raises(Unavailable, match="This server is stopping"):
        await hub.join(task)


async def test_a_whole_stream_in_the_reply(api: Api) -> None:
    task_id = (await api.stop([1001])).json()["data"]["id"]
    task = await api.store.tasks.head(task_id)
    assert task is not None
    for step in task.plan:
        await settle(api.store, task, step.index, make_successes(await claim_step(api.store, task, step.index)))
    answer = await api.client.get(f"/api/v2/tasks/instances/{task_id}/events", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-trace-id"]
    retry, end, rest = answer.content.split(b"\n\n")
    assert (retry, rest) == (b"retry: 2000", b"")
    kind, event_id, data = parsed(end)
    assert (kind, data["status"], data["failedHostIds"]) == ("end", TaskStatus.SUCCESSFUL, [])
    assert parse_cursor(event_id or NO_EVENT) > parse_cursor(NO_EVENT)
    assert list(data) == sorted(data)


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "a-b", "1-2-3", "\u0661-1", "9" * 30 + "-1"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="stream"):
        parse_cursor(text)
