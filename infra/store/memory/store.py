"""The record in memory, put together."""

from collections.abc import Callable

from typing_extensions import override

from infra.clock import now
from infra.store.base import Store, StoreOptions
from infra.store.memory.access_keys import MemoryAccessKeys
from infra.store.memory.audit import MemoryAudit
from infra.store.memory.brake import MemoryBrake
from infra.store.memory.errands import MemoryErrands
from infra.store.memory.guard import MemoryGuard
from infra.store.memory.hosts import MemoryHosts
from infra.store.memory.tasks import Beside, MemoryTasks
from infra.store.memory.users import MemoryUsers
from infra.store.memory.workers import MemoryWorkers


class MemoryStore(Store):
    """The record, kept by this process and gone with it. No method awaits anything, so each is atomic.

    Args:
        options: how it is used; only what is kept for how long matters here.
        clock: milliseconds; says when something is gone that is kept for a while only.
    """

    def __init__(self, options: StoreOptions | None = None, clock: Callable[[], int] = now) -> None:
        options = options or StoreOptions()
        self._brake = MemoryBrake()
        self._hosts = MemoryHosts(self._brake, clock)
        self._errands = MemoryErrands(self._brake, clock)
        self._workers = MemoryWorkers(clock)
        self._audit = MemoryAudit(options.keep_audit)
        kept = Beside(self._hosts, self._workers, self._brake, self._audit)
        self._tasks = MemoryTasks(kept, options, clock)
        self._users = MemoryUsers()
        self._access_keys = MemoryAccessKeys()
        self._guard = MemoryGuard(clock)

    @property
    @override
    def tasks(self) -> MemoryTasks:
        return self._tasks

    @property
    @override
    def hosts(self) -> MemoryHosts:
        return self._hosts

    @property
    @override
    def errands(self) -> MemoryErrands:
        return self._errands

    @property
    @override
    def workers(self) -> MemoryWorkers:
        return self._workers

    @property
    @override
    def brake(self) -> MemoryBrake:
        return self._brake

    @property
    @override
    def users(self) -> MemoryUsers:
        return self._users

    @property
    @override
    def access_keys(self) -> MemoryAccessKeys:
        return self._access_keys

    @property
    @override
    def guard(self) -> MemoryGuard:
        return self._guard

    @property
    @override
    def audit(self) -> MemoryAudit:
        return self._audit

    @override
    async def check(self) -> None:
        """Find nothing to refuse: whoever takes this store knows that it forgets."""

    @override
    async def ping(self) -> None:
        """Answer."""

    @override
    async def aclose(self) -> None:
        """Keep everything: there is no connection to give back."""
