"""Workers and APIs of two versions beside each other: each goes on with what it knows, and leaves the rest alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from redis.asyncio import Redis

from core.record import Creator, Draft
from core.task_types import TASK_TYPES
from infra.clock import now
from infra.store import keys
from tests.support.system import STOP, of_step, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.system import Json, System

HOSTS = range(1, 121)
OLD, NEW = "worker-1", "newer-1"
SETTINGS = {
    "OCPFLEET_EXECUTOR": "stub",
    "OCPFLEET_STUB_DELAY": "1",
    "OCPFLEET_MAX_IN_FLIGHT": "3",
    "OCPFLEET_BEAT_EVERY": "0.5",
    "OCPFLEET_RECONCILE_EVERY": "0.5",
    "OCPFLEET_SHUTDOWN_GRACE": "0.2",
}
UPDATE = "A newer version of ocpfleet made task {}. Update the server."


class Mixed:
    """A system with a worker and an API of this version, and an API of the next one."""

    def __init__(self, system: System, older: httpx.Client) -> None:
        self.system = system
        self.older = older
        """Speaks to the older API; the system's own client to the newer one."""

    def stop(self, hosts: range, *, newer: bool) -> int:
        """Have one of the APIs accept a batch stop; return its task's id."""
        client = self.system.client if newer else self.older
        reply = client.post("/compute/hosts/batchStopAgents", json={"hostIds": list(hosts)})
        assert reply.status_code == httpx.codes.OK, reply.text
        return int(reply.json()["data"]["id"])

    def runs(self, task_id: int, status: str) -> dict[str, int]:
        """Return how many stops of a task have this status, by worker."""
        found: dict[str, int] = {}
        for one in of_step(self.system.task(task_id), STOP):
            if one["status"] == status:
                worker = one["executor"].split("@")[0]
                found[worker] = found.get(worker, 0) + 1
        return found

    def well(self, task_id: int) -> Json:
        """See that a task ends well, each of its subtasks run once as far as anybody can see; return it."""
        ended = self.system.ended(task_id, timeout=120)
        assert {(one["status"], one["runTime"]) for one in ended["subtasks"]} == {("SUCCESSFUL", 1)}
        return ended

    def log(self, worker: str) -> str:
        """Return what a worker said."""
        return self.system.workers[worker].log.read_text()

    def leave(self, worker: str) -> None:
        """Have a worker stop, by SIGTERM."""
        process = self.system.workers[worker].process
        assert process is not None
        process.terminate()
        assert process.wait(60) == 0

    async def see_that_the_older_worker_looked_after_everything(self) -> None:
        """Wait until the older worker found a task of its own version that was never published.

        Whatever it would do for tasks that it does not know and that were there before it has done by then.
        """
        draft = Draft(
            TASK_TYPES["batch_stop_agents"], (HOSTS[-1],), Creator(100, "admin"), "127.0.0.1", "t" * 16, now()
        )
        async with self.system.store() as store:
            task = await store.tasks.create(draft)
        self.well(task.id)


@pytest.fixture
def mixed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mixed]:
    """Return the mixed system. Where a worker is to be missed the parameter says after how many seconds."""
    settings = SETTINGS | {"OCPFLEET_LOST_AFTER": getattr(request, "param", "30")}
    with running(tmp_path / "system", workers=1, **settings) as system:
        older = system.client
        system.client = httpx.Client()
        system.start_api("newer-api", newer=True)
        with older:
            yield Mixed(system, older)


@asynccontextmanager
async def redis_of(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url, decode_responses=True) as client:
        yield client


async def losses(system: System) -> list[str]:
    async with redis_of(system.settings.redis_url) as client:
        return [key async for key in client.scan_iter(f"{keys.PREFIX}task:*:losses")]


async def test_a_newer_task_waits_for_newer_workers_and_older_tasks_run_on_both(mixed: Mixed) -> None:
    system = mixed.system
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    task = mixed.stop(HOSTS[:10], newer=True)
    await mixed.see_that_the_older_worker_looked_after_everything()

    assert {one["status"] for one in system.task(task)["subtasks"]} == {"READY", "PENDING"}
    assert f'"task":{task},' not in mixed.log(OLD)
    async with redis_of(system.settings.broker) as broker:
        assert await broker.llen("ocpfleet-broker:steps.2") == 1, "the one message of the API that accepted it"
    for method, path in (
        ("GET", ""),
        ("GET", "/events"),
        ("POST", "/retry"),
        ("POST", "/cancel"),
        ("POST", "/rollback"),
    ):
        refused = mixed.older.request(method, f"/tasks/instances/{task}{path}")
        assert (refused.status_code, refused.json()["error"]["message"]) == (503, UPDATE.format(task))
    listed = mixed.older.get("/tasks/instances").json()["data"]["contents"]
    assert {one["id"]: one["status"] for one in listed}[task] == "RUNNING"

    system.start_worker(NEW, newer=True)
    assert {one["executor"].split("@")[0] for one in mixed.well(task)["subtasks"]} == {NEW}
    both = mixed.stop(HOSTS[:40], newer=False)
    assert {one["executor"].split("@")[0] for one in of_step(mixed.well(both), STOP)} == {OLD, NEW}


async def test_older_workers_are_replaced_by_newer_ones_while_tasks_of_both_run(mixed: Mixed) -> None:
    system = mixed.system
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    older = mixed.stop(HOSTS[:90], newer=False)
    wait_until(lambda: mixed.runs(older, "RUNNING").get(OLD), 60, "the older worker to be at it")
    system.start_worker(NEW, newer=True)
    newer = mixed.stop(HOSTS[90:110], newer=True)
    wait_until(lambda: mixed.runs(newer, "RUNNING").get(NEW), 60, "the newer worker to be at its task")
    wait_until(lambda: mixed.runs(older, "SUCCESSFUL").get(OLD), 60, "the older worker to have done some")
    wait_until(lambda: mixed.runs(older, "RUNNING").get(OLD), 60, "the older worker to be in the middle")

    mixed.leave(OLD)
    system.start_worker("newer-2", newer=True)

    done = mixed.runs(older, "SUCCESSFUL").get(OLD, 0)
    mixed.well(older)
    assert mixed.runs(older, "SUCCESSFUL")[OLD] == done > 0
    assert OLD not in mixed.runs(newer, "SUCCESSFUL")
    mixed.well(newer)
    assert await losses(system) == []


@pytest.mark.parametrize("mixed", ["5"], indirect=True)
async def test_a_newer_worker_that_dies_is_missed_though_an_older_one_reconciles(mixed: Mixed) -> None:
    system = mixed.system
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    for name in (NEW, "newer-2"):
        system.start_worker(name, newer=True)
    task = mixed.stop(HOSTS[:30], newer=True)
    wait_until(lambda: mixed.runs(task, "RUNNING"), 60, "a newer worker to be at it")
    (at_it, *_) = mixed.runs(task, "RUNNING")
    process = system.workers[at_it].process
    assert process is not None
    process.kill()
    process.wait()

    mixed.well(task)
    assert OLD not in mixed.runs(task, "SUCCESSFUL")
    assert await losses(system) == [f"{keys.task(task)}:losses"]


async def test_back_to_the_older_version_a_newer_task_stands_still_and_goes_on_after_the_next_upgrade(
    mixed: Mixed,
) -> None:
    system = mixed.system
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    system.start_worker(NEW, newer=True)
    task = mixed.stop(HOSTS[:30], newer=True)
    wait_until(lambda: mixed.runs(task, "RUNNING").get(NEW), 60, "the newer worker to be at it")
    mixed.leave(NEW)
    left = mixed.runs(task, "SUCCESSFUL")
    assert not mixed.runs(task, "RUNNING"), "handed over"

    await mixed.see_that_the_older_worker_looked_after_everything()

    assert (mixed.runs(task, "SUCCESSFUL"), mixed.runs(task, "RUNNING")) == (left, {})
    held = mixed.older.get("/compute/hosts", params={"size": 30}).json()["data"]["contents"]
    assert {host["holderTaskId"] for host in held} == {task}, "nobody else gets its hosts meanwhile"
    refused = mixed.older.post(f"/compute/hosts/{HOSTS[0]}/release")
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, UPDATE.format(task))
    system.start_worker("newer-2", newer=True)
    mixed.well(task)
    assert await losses(system) == []
