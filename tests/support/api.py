"""The API in the test's own process: a store on a simulated Redis, a dispatcher that remembers, no sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from app.auth.passwords import Argon2
from app.main import create_app
from core.errand import Errand
from core.errors import BrokerUnavailable
from core.host import Target
from core.record import TaskRecord
from core.user import Role, User
from infra.settings import ApiSettings
from infra.store import Store
from infra.store.host_values import HostEntry
from tests.support.fake_store import FakeStore

NOW = 1_630_652_470_645
"""2021-09-03T07:01:10.645Z, in milliseconds."""
CHEAP = Argon2(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
STOP = "/api/v2/compute/hosts/batchStopAgents"
AGENT_PATHS = (
    *(f"/api/v2/compute/hosts/batch{what}Agents" for what in ("Stop", "Restart", "Start")),
    *(f"/api/v2/compute/hosts/{{hostId}}/agent/{what}" for what in ("stop", "restart", "start")),
)
"""The routes that make tasks on agents."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@dataclass
class RecordingDispatcher:
    """Remembers what was submitted; `fault` is raised instead where it is set."""

    submitted: list[TaskRecord] = field(default_factory=list)
    published: list[tuple[TaskRecord, int, bool]] = field(default_factory=list)
    """The same, with the step that the chain begins with and whether it goes back from there."""
    sent: list[Errand] = field(default_factory=list)
    fault: Exception | None = None
    worker: Callable[[str], Awaitable[None]] | None = None
    """Does errands by id, before the API even waits."""

    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        if self.fault:
            raise self.fault
        self.submitted.append(task)
        self.published.append((task, step, backwards))

    async def send(self, errand: Errand) -> None:
        if self.fault:
            raise self.fault
        self.sent.append(errand)
        if self.worker:
            await self.worker(errand.id)

    async def ping(self) -> None:
        if self.fault:
            raise self.fault

    async def count_waiting(self) -> int:
        if self.fault:
            raise self.fault
        return 0


NO_BROKER = BrokerUnavailable("The broker does not take messages.")


@dataclass
class Api:
    """A running API and what it works with."""

    client: httpx.AsyncClient
    store: Store
    dispatcher: RecordingDispatcher
    app: Any

    async def stop(self, host_ids: Sequence[int], **options: Any) -> httpx.Response:
        """Send a batch stop."""
        return await self.client.post(STOP, json={"hostIds": list(host_ids)}, **options)

    async def ask(self, path: str, host_ids: Sequence[int], **options: Any) -> httpx.Response:
        """Send a request about the agents of hosts: in the body, or of the only one in the path."""
        if "{hostId}" in path:
            (host_id,) = host_ids
            return await self.client.post(path.replace("{hostId}", str(host_id)), **options)
        return await self.client.post(path, json={"hostIds": list(host_ids)}, **options)

    async def user(self, name: str, *roles: Role) -> tuple[str, str]:
        """Add a user and return its credentials."""
        await self.store.users.put(User(0, name, CHEAP.hash(f"{name}-password"), frozenset(roles)))
        return name, f"{name}-password"


def entry(host_id: int, alias: str | None = None, key: str | None = None) -> HostEntry:
    """Return an inventory line for a host."""
    target = Target(
        host_id, f"10.0.{host_id >> 8 & 255}.{host_id & 255}", 22, "admin", "/home/admin/ocp_agent", "ocp", False, key
    )
    return HostEntry(target, alias)


_idle: dict[int, list[FastAPI]] = {}
"""Applications that no test uses at the moment, by the most hosts that their document allows."""


@contextmanager
def lend_app(settings: ApiSettings, store: Store, dispatcher: RecordingDispatcher, **more: Any) -> Iterator[FastAPI]:
    """Lend an application over a store; a test must not change its routes or its document.

    FastAPI sets up its routes with the first request, which takes longer than most tests. So an application that
    another test has used gets the context of a new one. `more` goes to `create_app`.
    """
    made = create_app(settings, store, dispatcher, passwords=CHEAP, **more)
    idle = _idle.setdefault(settings.max_hosts, [])
    app = idle.pop() if idle else made
    app.state = made.state
    try:
        yield app
    finally:
        idle.append(app)


@asynccontextmanager
async def running_api(
    store: Store | None = None, dispatcher: RecordingDispatcher | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """Start an API whose user `admin` (password admin-password) makes the client's requests."""
    store = store or FakeStore()
    dispatcher = dispatcher or RecordingDispatcher()
    chosen = ApiSettings(server_address="10.9.8.7", **settings)
    with lend_app(chosen, store, dispatcher, clock=lambda: NOW) as app:
        transport = httpx.ASGITransport(app)
        auth = ("admin", "admin-password")
        async with httpx.AsyncClient(transport=transport, base_url="http://fleet", auth=auth) as client:
            api = Api(client, store, dispatcher, app)
            await api.user("admin", Role.ADMIN)
            yield api
        await app.state.hub.aclose()
        await store.aclose()
