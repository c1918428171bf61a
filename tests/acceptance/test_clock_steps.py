"""Clocks on the wall step by an hour, to and fro, in mid-work: nobody is taken for lost, and all times stay sane."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from redis import Redis

from core.record import RECORD_VERSION
from tests.support.signing import access_key
from tests.support.system import FEW_AT_A_TIME, STOP, of_step, running, stops_done, stub_target
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until
from tests.support.wallclock import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, System

HOUR = 3600
HOSTS = range(1, 51)
SETTINGS: dict[str, Any] = {
    **FEW_AT_A_TIME,
    "OCPFLEET_BEAT_EVERY": "0.5",
    "OCPFLEET_RECONCILE_EVERY": "1",
    "OCPFLEET_RATE_LIMIT_10_SECONDS": "1000",
}


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture
def other(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "other-clock")


@pytest.fixture
def apart(tmp_path: Path, clock: WallClock, other: WallClock) -> Iterator[System]:
    """Run a store with the right time, a second worker with a clock of its own, and all others with one clock."""
    with (
        ValkeyServer(tmp_path / "store") as store,
        running(
            tmp_path / "system",
            workers=1,
            store=store.url(),
            OCPFLEET_KEEP_TASKS_DAYS="0.03",  # shorter than a step
            OCPFLEET_LOST_AFTER="60",  # so too, and longer than a busy machine lets a worker wait
            **SETTINGS,
            **clock.environment,
        ) as system,
    ):
        system.start_worker("worker-2", **other.environment)
        system.ready()
        yield system


@pytest.fixture
def together(tmp_path: Path, clock: WallClock) -> Iterator[System]:
    """Run everything with one clock, the store, too."""
    with running(tmp_path / "system", OCPFLEET_LOST_AFTER="5", **SETTINGS, **clock.environment) as system:
        yield system


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_task_goes_on_as_if_nothing_had_happened(
    apart: System, clock: WallClock, other: WallClock, sign: int
) -> None:
    system = apart
    await system.add_hosts([stub_target(host_id) for host_id in (*HOSTS, 51)])
    before = system.ended(_stopped(system, 51, "once")["id"])
    task = system.stop(HOSTS)
    wait_until(lambda: stops_done(system, task["id"]) > 5, 30, "some hosts to be done")
    clock.step(sign * HOUR)
    other.step(-sign * HOUR)
    wait_until(lambda: stops_done(system, task["id"]) > 20, 30, "some more hosts to be done")
    assert _stopped(system, 51, "once")["id"] == before["id"], "its key still stands"
    clock.step(-sign * HOUR)
    other.step(sign * HOUR)

    ended = system.ended(task["id"], timeout=60)
    assert ended["status"] == "SUCCESSFUL"
    assert {subtask["runTime"] for subtask in ended["subtasks"]} == {1}
    assert {subtask["executor"].split("@")[0] for subtask in of_step(ended, STOP)} == {"worker-1", "worker-2"}
    _times_are_sane(ended)
    assert _hours_told(system, ended) == {-1, 0, 1}, "the logs have each worker's own time"
    assert system.task(before["id"]) == before, "it has not expired"
    assert [one["id"] for one in _listed(system)] == [task["id"], before["id"]]
    later = _stopped(system, 51, "twice")
    _times_are_sane(system.ended(later["id"]))
    _nobody_was_lost(system)


async def test_a_signature_of_an_hour_ago_is_refused_and_a_password_is_not(apart: System, clock: WallClock) -> None:
    system = apart
    async with system.store() as store:
        signing = await access_key(store, system.directory / "key-encryption-key", "admin", round(time.time() * 1000))
    assert system.client.get("/compute/hosts", auth=signing).is_success
    clock.step(HOUR)
    wait_until(lambda: not system.client.get("/compute/hosts", auth=signing).is_success, 30, "the API to see its clock")
    refused = system.client.get("/compute/hosts", auth=signing)
    assert refused.status_code == httpx.codes.UNAUTHORIZED
    assert "differs from the server's clock by more than 15 minutes: it is" in refused.json()["error"]["message"]
    assert system.client.get("/compute/hosts").is_success
    clock.step(0)
    wait_until(
        lambda: system.client.get("/compute/hosts", auth=signing).is_success, 30, "the API to have its time back"
    )


async def test_the_clock_of_the_store_goes_back_and_the_worker_that_reconciles_is_killed(
    together: System, clock: WallClock
) -> None:
    system = together
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    task = system.stop(HOSTS)
    wait_until(lambda: stops_done(system, task["id"]) > 5, 30, "some hosts to be done")
    clock.step(HOUR)
    wait_until(lambda: stops_done(system, task["id"]) > 15, 30, "some more hosts to be done")
    with Redis.from_url(system.settings.redis_url, decode_responses=True) as client:
        wait_until(lambda: client.time()[0] > time.time() + HOUR / 2, 30, "the store to see its clock")
        key = f"ocpfleet:reconciler:{RECORD_VERSION}"
        wait_until(lambda: client.exists(key), 30, "some worker to reconcile")
        name = client.hget("ocpfleet:workers", client.get(key) or "")
    leader = system.workers[str(name).partition("@")[0]].process
    assert leader is not None
    leader.kill()
    clock.step(-HOUR)

    ended = system.ended(task["id"], timeout=90)
    assert ended["status"] == "SUCCESSFUL"
    _times_are_sane(ended)


def _hours_told(system: System, task: Json) -> set[int]:
    """Return by how many hours the logs of a task's stops are off its start."""
    began = datetime.fromisoformat(task["startTime"])
    logs = (system.log(task["id"], subtask["id"]) for subtask in of_step(task, STOP))
    rows = (row for log in logs for row in log.splitlines() if " --- [" in row)
    times = (datetime.strptime(row[:23], "%Y-%m-%d %H:%M:%S.%f").astimezone() for row in rows)
    return {round((at - began) / timedelta(hours=1)) for at in times}


def _stopped(system: System, host_id: int, key: str) -> Json:
    headers = {"Idempotency-Key": key}
    answer = system.client.post("/compute/hosts/batchStopAgents", json={"hostIds": [host_id]}, headers=headers)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert int(answer.headers["RateLimit-Reset"]) <= 10
    task: Json = answer.json()["data"]
    return task


def _listed(system: System) -> list[Json]:
    found: list[Json] = system.client.get("/tasks/instances").json()["data"]["contents"]
    return found


def _times_are_sane(task: Json) -> None:
    began = datetime.fromisoformat(task["startTime"])
    assert datetime.fromisoformat(task["finishTime"]) >= began
    for subtask in task["subtasks"]:
        started, finished = (datetime.fromisoformat(subtask[name]) for name in ("startTime", "finishTime"))
        assert began <= started <= finished, subtask
        assert finished - started <= timedelta(hours=2, minutes=5), subtask


def _nobody_was_lost(system: System) -> None:
    for name, worker in system.workers.items():
        assert worker.ended is None, name
        said = worker.log.read_text()
        assert "worker lost" not in said, name
        assert "enrolled anew" not in said, name
