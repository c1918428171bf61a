"""What is published once a reply is out, and what becomes of it where the broker is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from typing_extensions import override

from app.tasks import outbox as publishing
from app.tasks.outbox import publish, publish_posted
from tests.support.api import NO_BROKER, STOP, Api, RecordingDispatcher, entry
from tests.support.records import draft

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from app.context import Fleet
    from core.record import TaskRecord


class Telling(RecordingDispatcher):
    """Says when it is asked, waits until it is let go on, and says when it is done."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self.said = said
        self.go_on = asyncio.Event()
        self.go_on.set()

    @override
    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        self.said.append(f"asked for {task.id}")
        await self.go_on.wait()
        await super().submit(task, step, backwards=backwards)
        self.said.append(f"published {task.id}")


@pytest.fixture
def fleet(api: Api) -> Fleet:
    fleet: Fleet = api.app.state.fleet
    return fleet


@pytest.fixture
def broker(fleet: Fleet) -> Telling:
    telling = Telling([])
    object.__setattr__(fleet, "dispatcher", telling)
    return telling


def task(number: int) -> TaskRecord:
    return draft((1,)).to_task(number, 1)


async def test_a_task_is_published_once_its_reply_is_out(api: Api, broker: Telling) -> None:
    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            await send(message)
            broker.said.append(message["type"])

        await api.app(scope, receive, sending)

    await api.store.hosts.put([entry(1)], 0)
    auth = ("admin", "admin-password")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://fleet", auth=auth) as client:
        assert (await client.post(STOP, json={"hostIds": [1]})).status_code == 200
    assert broker.said == ["http.response.start", "http.response.body", "asked for 1", "published 1"]


async def test_a_broker_that_is_away_is_asked_once_and_all_is_left_to_the_workers(
    api: Api, fleet: Fleet, broker: Telling
) -> None:
    broker.fault = NO_BROKER
    for number in (1, 2, 3):
        publish(fleet, task(number))
    await publish_posted({"app": api.app})
    assert broker.said == ["asked for 1"]
    broker.fault = None
    await publish_posted({"app": api.app})
    publish(fleet, task(4))
    await publish_posted({"app": api.app})
    assert broker.said == ["asked for 1", "asked for 4", "published 4"]


async def test_one_publishes_for_all_while_the_broker_hangs(api: Api, fleet: Fleet, broker: Telling) -> None:
    broker.go_on.clear()
    publish(fleet, task(1))
    first = asyncio.create_task(publish_posted({"app": api.app}))
    await asyncio.sleep(0)
    publish(fleet, task(2), 2, backwards=True)
    await publish_posted({"app": api.app})
    assert broker.said == ["asked for 1"]
    broker.go_on.set()
    await first
    assert [(one.id, step, back) for one, step, back in broker.published] == [(1, 0, False), (2, 2, True)]


async def test_so_many_wait_for_the_broker_and_no_more(
    api: Api, fleet: Fleet, broker: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_MOST", 2)
    for number in (1, 2, 3):
        publish(fleet, task(number))
    await publish_posted({"app": api.app})
    assert [one.id for one in broker.submitted] == [1, 2]
