"""A record in an empty Redis, and what is done to all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.store import Store, keys
from infra.store.values import StoreOptions
from tests.support.records import FIRST, NOW, draft, entry
from tests.support.scenario.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from core.claim import Beat, Worker
    from core.host import Host
    from core.record import Draft, TaskRecord
    from infra.store.access_keys import AccessKeys
    from infra.store.audit import Audit
    from infra.store.brake import Brakes
    from infra.store.errands import Errands
    from infra.store.guard import Guard
    from infra.store.hosts import Hosts
    from infra.store.task_values import OpenLog
    from infra.store.tasks import Tasks
    from infra.store.users import Users
    from infra.store.workers import Workers

ALIVE = 60_000
"""A worker that has beaten counts as alive for so long in a test, in milliseconds."""


class Record:
    """A record in an empty Redis, and a client beside it that looks behind the record.

    Args:
        connect: returns a new client of that Redis, which decodes replies to text.
    """

    def __init__(self, connect: Callable[[], Redis]) -> None:
        self._connect = connect
        self._stores: list[Store] = []
        self.client = connect()
        self.store: Store = self.configure(StoreOptions())

    def configure(self, options: StoreOptions) -> Store:
        """Use the record with other options from now on."""
        self.store = Store(self._connect(), options)
        self._stores.append(self.store)
        return self.store

    async def aclose(self) -> None:
        """Close every connection."""
        for store in self._stores:
            await store.aclose()
        await self.client.aclose()

    @property
    def tasks(self) -> Tasks:
        """The tasks."""
        return self.store.tasks

    @property
    def hosts(self) -> Hosts:
        """The inventory."""
        return self.store.hosts

    @property
    def workers(self) -> Workers:
        """The worker processes."""
        return self.store.workers

    @property
    def errands(self) -> Errands:
        """What workers do while a client waits."""
        return self.store.errands

    @property
    def brake(self) -> Brakes:
        """The fleet's brake."""
        return self.store.brake

    @property
    def users(self) -> Users:
        """The users."""
        return self.store.users

    @property
    def access_keys(self) -> AccessKeys:
        """The users' access keys."""
        return self.store.access_keys

    @property
    def guard(self) -> Guard:
        """Marks and counters that lapse."""
        return self.store.guard

    @property
    def audit(self) -> Audit:
        """Who did what."""
        return self.store.audit

    async def accept(self, hosts: Iterable[int] = (1, 2, 3), *, request: Draft | None = None) -> Task:
        """Accept a batch stop of some hosts, or another request."""
        return self.task(await self.tasks.create(request or draft(hosts)))

    def task(self, accepted: TaskRecord) -> Task:
        """Return a task by its head as it was accepted."""
        return Task(self, accepted)

    async def import_hosts(self, *host_ids: int) -> None:
        """Put hosts into the inventory."""
        await self.hosts.put(map(entry, host_ids), NOW)

    async def host(self, host_id: int) -> Host:
        """Return a host that is in the inventory."""
        return (await self.hosts.get((host_id,)))[host_id]

    async def start_worker(self, name: str = FIRST.name) -> Worker:
        """Enrol a worker and let it beat once."""
        worker = await self.workers.enrol(name)
        await self.beat(worker)
        return worker

    async def beat(self, worker: Worker) -> Beat:
        """Let a worker beat."""
        return await self.workers.beat(worker, ALIVE)

    async def note(self, *logs: OpenLog) -> None:
        """Keep what runs have done so far."""
        await self.tasks.note_logs(logs)

    async def count_keys(self) -> int:
        """Return how many keys Redis has, without those of the last numbers given."""
        every = [key async for key in self.client.scan_iter("*")]
        return sum(not key.startswith(f"{keys.PREFIX}seq:") for key in every)
