"""The API over real HTTP, in the test's own process, on a real store."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from app.http.server import Server, open_listener
from app.main import create_app
from core.user import Role, User
from infra.settings import ApiSettings
from infra.store import Store
from infra.store.values import StoreOptions
from tests.support.api import CHEAP, RecordingDispatcher
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from app.tasks.watch.hub import Hub


@dataclass
class Message:
    """One server-sent event."""

    kind: str
    id: str | None
    data: dict[str, Any]
    at: float
    """When it came, in seconds of the event loop."""


@dataclass
class Served:
    """An API that listens on loopback."""

    client: httpx.AsyncClient
    store: Store
    server: Server
    hub: Hub
    port: int

    @asynccontextmanager
    async def watching(self, task_id: int, last_id: str | None = None) -> AsyncIterator[AsyncIterator[Message]]:
        """Watch a task; the messages end when the server ends them."""
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        path = f"/api/v2/tasks/instances/{task_id}/events"
        async with self.client.stream("GET", path, headers=headers, timeout=30) as answer:
            assert answer.status_code == 200, (await answer.aread()).decode()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _messages(answer)

    async def all_messages(self, task_id: int, last_id: str | None = None) -> list[Message]:
        """Watch a task to the end of the stream."""
        async with self.watching(task_id, last_id) as messages:
            return [message async for message in messages]


async def _messages(answer: httpx.Response) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, colon, value = line.partition(": ")
        if name and colon:
            fields[name] = value
        if not line:
            if "event" in fields:
                now = asyncio.get_running_loop().time()
                yield Message(fields["event"], fields.get("id"), orjson.loads(fields["data"]), now)
            fields = {}


@asynccontextmanager
async def serving(url: str, options: StoreOptions | None = None, **settings: Any) -> AsyncIterator[Served]:
    """Serve an API over the Redis at `url`; its user `admin` makes the client's requests."""
    store = Store.at(url, options or StoreOptions())
    app = create_app(ApiSettings(**settings), store, RecordingDispatcher(), passwords=CHEAP)
    await store.users.put(User(0, "admin", CHEAP.hash("admin-password"), frozenset({Role.ADMIN})))
    async with listening(app, app.state.hub) as (server, client, port):
        yield Served(client, store, server, app.state.hub, port)


@asynccontextmanager
async def listening(app: ASGIApp, hub: Hub) -> AsyncIterator[tuple[Server, httpx.AsyncClient, int]]:
    """Let an application listen on loopback; yields the server, a client that is `admin`, and the port."""
    server = Server(app, hub.stop)
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await eventually(lambda: server.started, 10, "the server listens")
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", auth=("admin", "admin-password"), limits=limits
        ) as client:
            yield server, client, port
        server.should_exit = True
        await running
