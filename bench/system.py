"""Our own system as real processes: an embedded store with its append-only file, an API, and workers."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from bench.usage import cpu_of
from bench.waiting import until
from bench.web import Api, RefusedError, task_of
from core.host import Target
from core.record import TaskRecord
from core.status import TaskStatus
from demo.ports import free_port
from demo.supervisor import Child, Supervisor
from infra import embedded
from infra.settings import SharedSettings
from infra.store.base import HostEntry
from infra.store.redis.store import RedisStore

T = TypeVar("T")
_UP = 30.0
"""Seconds that a process may take to come up."""
_PUT = 1000
"""Hosts that are brought into the inventory at once."""


@dataclass(slots=True)
class Fleet:
    """A running system; everything it started ends with the context of `running`."""

    directory: Path
    supervisor: Supervisor
    environment: dict[str, str]
    runner: asyncio.Runner
    redis: Child
    store: RedisStore
    patience: float
    """Seconds that a task may take."""
    workers: list[Child] = field(default_factory=list)
    _api: tuple[Child, Api] | None = None

    @property
    def api(self) -> Api:
        """Its API."""
        return self._started[1]

    @property
    def redis_url(self) -> str:
        """Where its store is."""
        return self.environment["OCPFLEET_REDIS_URL"]

    @property
    def _started(self) -> tuple[Child, Api]:
        if self._api is None:
            raise RuntimeError("the API was not started")
        return self._api

    def close(self) -> None:
        """Close our own connections to it."""
        if self._api:
            self._api[1].close()
        self.ask(self.store.aclose())

    def pids(self, *, redis: bool = True) -> list[int]:
        """Return the process ids of the API, the workers and, where wanted, the store."""
        children = [self._started[0], *self.workers, *([self.redis] if redis else [])]
        return [child.process.pid for child in children if child.process]

    def cpu(self, *, redis: bool = True) -> float:
        """Return the CPU seconds that they have used so far."""
        return cpu_of(self.pids(redis=redis))

    def cpu_by_kind(self) -> dict[str, float]:
        """Return the CPU seconds that the API, all workers and the store have used so far, apart."""
        api, *workers, store = self.pids()
        return {"api": cpu_of([api]), "workers": cpu_of(workers), "store": cpu_of([store])}

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Ask the record something."""
        return self.runner.run(question)

    def start_api(self) -> None:
        """Start the API and log in."""
        port, password = free_port(), self.directory / "admin-password"
        named = {"OCPFLEET_API_PORT": str(port), "OCPFLEET_ADMIN_PASSWORD_FILE": str(password)}
        child = self.supervisor.start("api", [_program(), "api"], self.environment | named)
        until(lambda: _healthy(port), _UP, f"the API answers; its output is {child.log}")
        self._api = child, Api(port, password.read_text().strip())

    def start_worker(self) -> Child:
        """Start one more worker and wait until it takes messages."""
        name = f"worker-{len(self.workers) + 1}"
        named = self.environment | {"OCPFLEET_WORKER_NAME": name}
        child = self.supervisor.start(name, [_program(), "worker"], named)
        self.workers.append(child)
        until(lambda: child.said("ready."), _UP, f"{name} is ready; its output is {child.log}")
        return child

    def add_hosts(self, targets: Sequence[Target]) -> None:
        """Bring hosts into the inventory."""
        for first in range(0, len(targets), _PUT):
            entries = [HostEntry(target, None) for target in targets[first : first + _PUT]]
            self.ask(self.store.hosts.put(entries, 0))

    def accepted(self, host_ids: Sequence[int]) -> tuple[int, float]:
        """Ask for a batch stop; return its task's id, and the seconds that the reply took, read to its end."""
        reply, seconds = self.api.stop_agents(host_ids)
        return int(task_of(reply)["id"]), seconds

    def stop_agents(self, host_ids: Sequence[int]) -> int:
        """Ask for a batch stop; return its task's id."""
        return self.accepted(host_ids)[0]

    def head(self, task_id: int) -> TaskRecord:
        """Return a task's head."""
        task = self.ask(self.store.tasks.head(task_id))
        if task is None:
            raise RefusedError(f"there is no task {task_id}")
        return task

    def ended(self, task_id: int, *, pause: float = 0.05) -> TaskRecord:
        """Wait until a task has ended; it must be SUCCESSFUL.

        Raises:
            RefusedError: it is not.
            TooLongError: it did not end.
        """
        going = TaskStatus.RUNNING
        until(lambda: self.head(task_id).status is not going, self.patience, f"task {task_id} ends", pause=pause)
        task = self.head(task_id)
        if task.status is not TaskStatus.SUCCESSFUL:
            raise RefusedError(f"task {task_id} ended as {task.status}: {dict(task.counts)}")
        return task

    def timed(self, host_ids: Sequence[int], *, pause: float = 0.05) -> float:
        """Return the seconds from a batch stop's acceptance to its end, as the record has them."""
        return lasted(self.ended(self.stop_agents(host_ids), pause=pause))


def lasted(task: TaskRecord) -> float:
    """Return the seconds from a task's acceptance to its end, in whole milliseconds."""
    return ((task.finished or task.started) - task.started) / 1000


@contextmanager
def running(
    directory: Path,
    *,
    workers: int = 1,
    key: Path | None = None,
    patience: float = 300.0,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Fleet]:
    """Start a system.

    Args:
        directory: where everything goes; emptied first.
        workers: how many worker processes run.
        key: the private key that they log in with; None for stub hosts.
        patience: seconds that a task may take.
        settings: more settings for all processes, by their full names.
    """
    shutil.rmtree(directory, ignore_errors=True)
    with Supervisor(directory / "logs") as supervisor, asyncio.Runner() as runner:
        url, redis = start_store(supervisor, directory)
        reached = {"OCPFLEET_SSH_KEYS": json.dumps([str(key)])} if key else {"OCPFLEET_EXECUTOR": "stub"}
        given = {"OCPFLEET_REDIS_URL": url, "OCPFLEET_KEY_FILE": str(directory / "key-encryption-key")}
        environment = {**os.environ, **given, **reached, **settings}
        store = RedisStore.at(url, SharedSettings(redis_url=url).store_options)
        fleet = Fleet(directory, supervisor, environment, runner, redis, store, patience)
        try:
            fleet.start_api()
            for _ in range(workers):
                fleet.start_worker()
            yield fleet
        finally:
            fleet.close()


def start_store(supervisor: Supervisor, directory: Path) -> tuple[str, Child]:
    """Start a Valkey that syncs each write to its file; return its address and its process."""
    port, password = free_port(), embedded.make_password()
    command = embedded.prepare(directory / "redis", port, password)
    child = supervisor.start("redis", command, os.environ)
    until(lambda: child.said(embedded.LISTENING), _UP, f"the store listens; its output is {child.log}")
    return embedded.url(port, password), child


def stub_targets(count: int) -> list[Target]:
    """Return hosts that only the stub executor can reach, with the ids from 1 on."""
    home = "/home/admin/ocp_agent"
    return [Target(number, "10.0.0.1", 22, "admin", home, "ocp", sudo=False, host_key=None) for number in _ids(count)]


def _ids(count: int) -> range:
    return range(1, count + 1)


def _program() -> str:
    return str(Path(sys.executable).with_name("ocpfleet"))


def _healthy(port: int) -> bool:
    api = Api(port, "")
    try:
        return bool(api.get("/healthz"))
    except (OSError, RefusedError):
        return False
    finally:
        api.close()
