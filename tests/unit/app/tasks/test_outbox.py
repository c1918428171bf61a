"""What is published once a reply is out, and what becomes of it where the broker is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from typing_extensions import override

from app.tasks import outbox as outbox_module
from app.tasks.outbox import Outbox
from tests.support.api import NO_BROKER, STOP, RecordingDispatcher, entry, running_api
from tests.support.records import draft

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

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
def broker() -> Telling:
    return Telling([])


def task(number: int) -> TaskRecord:
    return draft((1,)).to_task(number, 1)


async def test_a_task_is_published_once_its_reply_is_out(broker: Telling) -> None:
    async with running_api(dispatcher=broker) as api:

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                await send(message)
                broker.said.append(message["type"])

            await api.app(scope, receive, sending)

        await api.store.hosts.put([entry(1)], 0)
        transport, auth = httpx.ASGITransport(watched), ("admin", "admin-password")
        async with httpx.AsyncClient(transport=transport, base_url="http://fleet", auth=auth) as client:
            assert (await client.post(STOP, json={"hostIds": [1]})).status_code == 200
    assert broker.said == ["http.response.start", "http.response.body", "asked for 1", "published 1"]


async def test_a_broker_that_is_away_is_asked_once_and_all_is_left_to_the_workers(broker: Telling) -> None:
    outbox = Outbox(broker)
    broker.fault = NO_BROKER
    for number in (1, 2, 3):
        outbox.post(task(number))
    await outbox.publish()
    assert broker.said == ["asked for 1"]
    broker.fault = None
    await outbox.publish()
    outbox.post(task(4))
    await outbox.publish()
    assert broker.said == ["asked for 1", "asked for 4", "published 4"]


async def test_one_publishes_for_all_while_the_broker_hangs(broker: Telling) -> None:
    outbox = Outbox(broker)
    broker.go_on.clear()
    outbox.post(task(1))
    first = asyncio.create_task(outbox.publish())
    await asyncio.sleep(0)
    outbox.post(task(2), 2, backwards=True)
    await outbox.publish()
    assert broker.said == ["asked for 1"]
    broker.go_on.set()
    await first
    assert [(one.id, step, back) for one, step, back in broker.published] == [(1, 0, False), (2, 2, True)]


async def test_so_many_wait_for_the_broker_and_no_more(broker: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "_MAX_WAITING", 2)
    outbox = Outbox(broker)
    for number in (1, 2, 3):
        outbox.post(task(number))
    await outbox.publish()
    assert [one.id for one in broker.submitted] == [1, 2]
