"""The store's disk or memory is full in the middle of a task: 503 with what the store says, and nothing half done."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
from redis import Redis
from typing_extensions import override

from tests.support.smalldisk import small_disk
from tests.support.system import FEW_AT_A_TIME, running, stops_done, stub_target
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.smalldisk import SmallDisk
    from tests.support.system import Json, System

BOUND = 20
"""Seconds within which an answer must come, whatever the machine is doing."""
HOSTS = range(1, 51)
IDLE = range(51, 500)
"""Hosts of the requests that are made meanwhile, each of its own."""
SETTINGS: dict[str, Any] = {
    **FEW_AT_A_TIME,
    "OCPFLEET_BEAT_EVERY": "0.5",
    "OCPFLEET_LOST_AFTER": "4",
    "OCPFLEET_RECONCILE_EVERY": "0.5",
}


class Store(Protocol):
    """A store that can be full."""

    url: str
    says: str
    """What a refusal says while it is full."""

    def fill(self) -> None: ...

    def make_room(self) -> None: ...


@dataclass
class OnSmallDisk(Store):
    """Writes its file once a second, as many do: it goes on without a file that it can write, and takes no writes."""

    url: str
    disk: SmallDisk
    says: str = "The store refuses (ResponseError: MISCONF Errors writing to the AOF file: No space left on device)"

    @override
    def fill(self) -> None:
        self.disk.fill()

    @override
    def make_room(self) -> None:
        self.disk.make_room()


@dataclass
class OnSmallDiskAndStrict(Store):
    """Writes its file before it answers, as the embedded one does: it ends rather than answer what is not written."""

    url: str
    disk: SmallDisk
    server: ValkeyServer
    says: str = "The store does not answer ("

    @override
    def fill(self) -> None:
        self.disk.fill()
        wait_until(lambda: not self.server.running, 30, "the server to end, as it cannot write")

    @override
    def make_room(self) -> None:
        self.disk.make_room()
        self.server.start()


@dataclass
class InSmallMemory(Store):
    """Has a limit to its memory, and evicts nothing."""

    url: str
    port: int
    says: str = "The store refuses (OutOfMemoryError: command not allowed when used memory > 'maxmemory'.)"

    @override
    def fill(self) -> None:
        with Redis(port=self.port, db=5) as client:
            client.setrange("ballast", 100 << 20, "x")

    @override
    def make_room(self) -> None:
        with Redis(port=self.port, db=5) as client:
            client.delete("ballast")


@contextmanager
def on_small_disk(directory: Path, *, strict: bool) -> Iterator[Store]:
    with small_disk(directory / "disk", 8) as disk:
        extra = ["--dir", str(disk.place), "--appendfsync", "always" if strict else "everysec"]
        with ValkeyServer(directory / "server", extra=extra, within=disk.within) as server:
            yield OnSmallDiskAndStrict(server.url(), disk, server) if strict else OnSmallDisk(server.url(), disk)


@contextmanager
def in_small_memory(directory: Path) -> Iterator[Store]:
    with ValkeyServer(directory / "server", extra=["--maxmemory", "64mb"]) as server:
        yield InSmallMemory(server.url(), server.port)


@pytest.fixture(params=["disk", "strict disk", "memory"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    kind = request.param
    with in_small_memory(tmp_path) if kind == "memory" else on_small_disk(tmp_path, strict=kind != "disk") as store:
        yield store


@pytest.fixture
def system(tmp_path: Path, store: Store) -> Iterator[System]:
    with running(tmp_path / "system", store=store.url, **SETTINGS) as system:
        yield system


async def test_a_task_ends_as_it_should_once_there_is_room(system: System, store: Store) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in (*HOSTS, *IDLE)])
    idle = iter(IDLE)
    before = system.ended(system.stop([next(idle)])["id"])
    task = system.stop(HOSTS)
    wait_until(lambda: stops_done(system, task["id"]) > 2, 30, "some hosts to be done")
    store.fill()
    refusal, accepted = _refused(system, store, idle)
    assert refusal["error"]["message"].startswith(store.says), refusal
    for path in (f"/tasks/instances/{task['id']}", "/tasks/instances", "/compute/hosts"):
        began = time.monotonic()
        reading = system.client.get(path)
        assert time.monotonic() - began < BOUND
        assert reading.status_code in {httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}, reading.text
    refusal, more = _refused(system, store, idle)
    assert refusal["error"]["message"].startswith(store.says), refusal
    assert more == [], "it was full before"
    store.make_room()

    wait_until(lambda: system.client.get("/compute/hosts").is_success, 30, "the API to have its store back")
    for task_id in (task["id"], *accepted):
        ended = system.ended(task_id, timeout=90)
        assert ended["status"] == "SUCCESSFUL"
        assert {subtask["runTime"] for subtask in ended["subtasks"]} == {1}
    assert system.task(before["id"]) == before
    again = system.ended(system.stop([next(idle)])["id"])
    assert again["status"] == "SUCCESSFUL"
    made = {before["id"], task["id"], *accepted, again["id"]}
    assert _listed(system) == made, "nothing is left of what was refused"
    assert [name for name, worker in system.workers.items() if worker.ended is not None] == []


def _refused(system: System, store: Store, idle: Iterator[int]) -> tuple[Json, list[int]]:
    """Ask until the store notices that it is full; return the refusal, and the tasks that were accepted before."""
    accepted: list[int] = []
    refusals: list[Json] = []

    def refused() -> bool:
        began = time.monotonic()
        answer = system.submit([next(idle)])
        assert time.monotonic() - began < BOUND
        if answer.status_code == httpx.codes.OK:
            accepted.append(answer.json()["data"]["id"])
            return False
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        refusals.append(answer.json())
        return True

    wait_until(refused, 30, f"a refusal that says {store.says!r}")
    return refusals[-1], accepted


def _listed(system: System) -> set[int]:
    found = system.client.get("/tasks/instances", params={"size": 100}).json()["data"]["contents"]
    return {task["id"] for task in found}
