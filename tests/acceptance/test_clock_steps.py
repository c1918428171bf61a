"""Clocks on the wall step by an hour, to and fro, in mid-work: nobody is taken for lost, and the times told stay sane."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from redis import Redis

from tests.support.system import STOP, of_step, running, stub_target
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until
from tests.support.wallclock import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, System

HOUR = 3600
HOSTS = range(1, 51)
SETTINGS = {
    "OCPFLEET_REDIS_TIMEOUT": "2",
    "OCPFLEET_EXECUTOR": "stub",
    "OCPFLEET_STUB_DELAY": "0.5",
    "OCPFLEET_MAX_IN_FLIGHT": "2",
    "OCPFLEET_MAX_LANES": "2",
    "OCPFLEET_BEAT_EVERY": "0.5",
    "OCPFLEET_LOST_AFTER": "5",
    "OCPFLEET_RECONCILE_EVERY": "0.5",
    "OCPFLEET_KEEP_TASKS_DAYS": "0.03",  # shorter than a step
    "OCPFLEET_RATE_LIMIT_10_SECONDS": "1000",
}


@contextmanager
def fleet(directory: Path, clock: WallClock, other: WallClock, *, store_apart: bool) -> Iterator[System]:
    """Start a system whose second worker has a clock of its own, and whose store may have the right one."""
    with ExitStack() as stack:
        store = stack.enter_context(ValkeyServer(directory / "store")).url() if store_apart else ""
        settings = SETTINGS | clock.environment
        system = stack.enter_context(running(directory / "system", workers=1, store=store, **settings))
        system.start_worker("worker-2", **other.environment)
        system.ready()
        yield system


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture
def other(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "other-clock")


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_task_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, clock: WallClock, other: WallClock, sign: int
) -> None:
    with fleet(tmp_path, clock, other, store_apart=True) as system:
        await system.add_hosts([stub_target(host_id) for host_id in (*HOSTS, 51)])
        before = system.ended(_stopped(system, 51, "once")["id"])
        task = system.stop(HOSTS)
        wait_until(lambda: _done(system, task) > 5, 30, "some hosts to be done")
        clock.step(sign * HOUR)
        other.step(-sign * HOUR)
        wait_until(lambda: _done(system, task) > 20, 30, "some more hosts to be done")
        assert _stopped(system, 51, "once")["id"] == before["id"], "its key still stands"
        clock.step(-sign * HOUR)
        other.step(sign * HOUR)

        ended = system.ended(task["id"], timeout=60)
        assert ended["status"] == "SUCCESSFUL"
        assert {subtask["runTime"] for subtask in ended["subtasks"]} == {1}
        assert {subtask["executor"].split("@")[0] for subtask in of_step(ended, STOP)} == {"worker-1", "worker-2"}
        _times_are_sane(ended)
        assert system.task(before["id"]) == before, "it has not expired"
        assert [one["id"] for one in _listed(system)] == [task["id"], before["id"]]
        later = _stopped(system, 51, "twice")
        _times_are_sane(system.ended(later["id"]))
        _nobody_was_lost(system)


def _stopped(system: System, host_id: int, key: str) -> Json:
    headers = {"Idempotency-Key": key}
    answer = system.client.post("/compute/hosts/batchStopAgents", json={"hostIds": [host_id]}, headers=headers)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert int(answer.headers["RateLimit-Reset"]) <= 10
    task: Json = answer.json()["data"]
    return task


def _done(system: System, task: Json) -> int:
    return sum(subtask["status"] == "SUCCESSFUL" for subtask in of_step(system.task(task["id"]), STOP))


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
