"""Our own system in real processes: an embedded store with its append-only file, an API, and workers."""

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

from bench.usage import measure_cpu
from bench.waiting import wait_until
from bench.web import Api, RefusedError, read_task
from core.host import Target
from core.record import TaskRecord
from core.status import TaskStatus
from demo.ports import reserve_port
from demo.supervisor import Child, Supervisor
from infra import embedded
from infra.settings import SharedSettings
from infra.store import Store
from infra.store.host_values import HostEntry

T = TypeVar("T")
_UP = 30.0
"""Seconds until a process must have started."""
_PUT = 1000
"""Hosts that are added to the inventory in one call."""


@dataclass(slots=True)
class System:
    """A running system. `run_system` stops it at the end of its context."""

    directory: Path
    supervisor: Supervisor
    environment: dict[str, str]
    runner: asyncio.Runner
    redis: Child
    store: Store
    patience: float
    """Seconds until a task must have ended."""
    workers: list[Child] = field(default_factory=list)
    _api: tuple[Child, Api] | None = None

    @property
    def api(self) -> Api:
        """The client of its API."""
        return self._started[1]

    @property
    def redis_url(self) -> str:
        """The address of its store."""
        return self.environment["OCPFLEET_REDIS_URL"]

    @property
    def _started(self) -> tuple[Child, Api]:
        if self._api is None:
            raise RuntimeError("the API was not started")
        return self._api

    def close(self) -> None:
        """Close our own connections to the system."""
        if self._api:
            self._api[1].close()
        self.ask(self.store.aclose())

    def list_pids(self, *, redis: bool = True) -> list[int]:
        """Return the process ids of the API, the workers and, with `redis`, the store."""
        children = [self._started[0], *self.workers, *([self.redis] if redis else [])]
        return [child.process.pid for child in children if child.process]

    def measure_cpu(self, *, redis: bool = True) -> float:
        """Return the CPU seconds that these processes have used so far."""
        return measure_cpu(self.list_pids(redis=redis))

    def measure_cpu_by_kind(self) -> dict[str, float]:
        """Return the CPU seconds used so far, separately for the API, all workers, and the store."""
        api, *workers, store = self.list_pids()
        return {"api": measure_cpu([api]), "workers": measure_cpu(workers), "store": measure_cpu([store])}

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the store, and return its result."""
        return self.runner.run(question)

    def start_api(self) -> None:
        """Start the API and log in."""
        port, password = reserve_port(), self.directory / "admin-password"
        named = {"OCPFLEET_API_PORT": str(port), "OCPFLEET_ADMIN_PASSWORD_FILE": str(password)}
        child = self.supervisor.start("api", [_find_program(), "api"], self.environment | named)
        wait_until(lambda: _is_healthy(port), _UP, f"the API answers; its output is {child.log}")
        self._api = child, Api(port, password.read_text().strip())

    def start_worker(self) -> Child:
        """Start one more worker and wait until it takes messages."""
        name = f"worker-{len(self.workers) + 1}"
        named = self.environment | {"OCPFLEET_WORKER_NAME": name}
        child = self.supervisor.start(name, [_find_program(), "worker"], named)
        self.workers.append(child)
        wait_until(lambda: child.has_said("ready."), _UP, f"{name} is ready; its output is {child.log}")
        return child

    def add_hosts(self, targets: Sequence[Target]) -> None:
        """Add hosts to the inventory."""
        for first in range(0, len(targets), _PUT):
            entries = [HostEntry(target, None) for target in targets[first : first + _PUT]]
            self.ask(self.store.hosts.put(entries, 0))

    def submit_stop(self, host_ids: Sequence[int]) -> tuple[int, float]:
        """Request a batch stop; return the task's id, and the seconds until the reply was read to its end."""
        reply, seconds = self.api.stop_agents(host_ids)
        return int(read_task(reply)["id"]), seconds

    def stop_agents(self, host_ids: Sequence[int]) -> int:
        """Request a batch stop; return the task's id."""
        return self.submit_stop(host_ids)[0]

    def read_head(self, task_id: int) -> TaskRecord:
        """Return the record of a task.

        Raises:
            RefusedError: the task does not exist.
        """
        task = self.ask(self.store.tasks.head(task_id))
        if task is None:
            raise RefusedError(f"there is no task {task_id}")
        return task

    def wait_for_end(self, task_id: int, *, pause: float = 0.05) -> TaskRecord:
        """Wait until a task has ended as SUCCESSFUL, and return its record.

        Raises:
            RefusedError: it ended with another status.
            TooLongError: it did not end in time.
        """
        going = TaskStatus.RUNNING
        wait_until(
            lambda: self.read_head(task_id).status is not going, self.patience, f"task {task_id} ends", pause=pause
        )
        task = self.read_head(task_id)
        if task.status is not TaskStatus.SUCCESSFUL:
            raise RefusedError(f"task {task_id} ended as {task.status}: {dict(task.counts)}")
        return task

    def time_stop(self, host_ids: Sequence[int], *, pause: float = 0.05) -> float:
        """Run a batch stop and return the seconds from its acceptance to its end, as recorded."""
        return get_duration(self.wait_for_end(self.stop_agents(host_ids), pause=pause))


def get_duration(task: TaskRecord) -> float:
    """Return the seconds from a task's acceptance to its end; the record has whole milliseconds."""
    return ((task.finished or task.started) - task.started) / 1000


@contextmanager
def run_system(
    directory: Path,
    *,
    workers: int = 1,
    key: Path | None = None,
    patience: float = 300.0,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[System]:
    """Start a system, and stop it at the end.

    Args:
        directory: the directory for all files; it is emptied first.
        workers: the number of worker processes.
        key: the private key for SSH; None for stub hosts.
        patience: seconds until a task must have ended.
        settings: further settings for all processes, by their variables.
    """
    shutil.rmtree(directory, ignore_errors=True)
    with Supervisor(directory / "logs") as supervisor, asyncio.Runner() as runner:
        url, redis = start_store(supervisor, directory)
        reached = {"OCPFLEET_SSH_KEYS": json.dumps([str(key)])} if key else {"OCPFLEET_EXECUTOR": "stub"}
        given = {"OCPFLEET_REDIS_URL": url, "OCPFLEET_KEY_FILE": str(directory / "key-encryption-key")}
        environment = {**os.environ, **given, **reached, **settings}
        store = Store.at(url, SharedSettings(redis_url=url).store_options)
        fleet = System(directory, supervisor, environment, runner, redis, store, patience)
        try:
            fleet.start_api()
            for _ in range(workers):
                fleet.start_worker()
            yield fleet
        finally:
            fleet.close()


def start_store(supervisor: Supervisor, directory: Path) -> tuple[str, Child]:
    """Start a Valkey that syncs every write to its file; return its address and its process."""
    port, password = reserve_port(), embedded.make_password()
    command = embedded.prepare(directory / "redis", port, password)
    child = supervisor.start("redis", command, os.environ)
    wait_until(lambda: child.has_said(embedded.LISTENING), _UP, f"the store listens; its output is {child.log}")
    return embedded.url(port, password), child


def make_stub_targets(count: int) -> list[Target]:
    """Return stub hosts for the inventory, with ids from 1."""
    home = "/home/admin/ocp_agent"
    return [
        Target(number, "10.0.0.1", 22, "admin", home, "ocp", sudo=False, host_key=None)
        for number in range(1, count + 1)
    ]


def _find_program() -> str:
    return str(Path(sys.executable).with_name("ocpfleet"))


def _is_healthy(port: int) -> bool:
    api = Api(port, "")
    try:
        return bool(api.get("/healthz"))
    except (OSError, RefusedError):
        return False
    finally:
        api.close()
