"""A night with the brake, and the morning after a lost store, all by commands."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.system import STOP, of_step, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import System

HOSTS = range(1, 31)
MANY, OTHERS = range(1, 121), range(121, 131)
"""So many that a command still meets them at work on a busy machine."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {
        "OCPFLEET_EXECUTOR": "stub",
        "OCPFLEET_STUB_DELAY": "0.5",
        "OCPFLEET_MAX_IN_FLIGHT": "2",
        "OCPFLEET_ALIVE_FOR": "3",
        "OCPFLEET_BEAT_EVERY": "0.5",
    }
    with running(tmp_path / "system", workers=2, **settings) as system:
        yield system


async def test_nothing_new_begins_until_the_brake_is_released(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in (*MANY, *OTHERS)])
    task = system.stop(MANY)
    wait_until(lambda: _stops(system, task["id"], "SUCCESSFUL") >= 3, 30, "the first hosts to be done")

    assert system.command("brake", "pull", "smoke in room 3").startswith("The brake has been on since ")
    wait_until(lambda: _stops(system, task["id"], "RUNNING") == 0, 30, "what ran to end")
    done = _stops(system, task["id"], "SUCCESSFUL")
    assert 3 <= done < len(MANY)
    accepted = system.submit(OTHERS)
    assert (accepted.status_code, accepted.headers["fleet-brake"]) == (200, "on")
    waiting = accepted.json()["data"]["id"]
    assert system.get("/readyz").json()["data"]["brake"] == "on: accepted requests wait until it is released"
    wait_until(
        lambda: any("braked" in worker.log.read_text() for worker in system.workers.values()),
        20,
        "a message to meet the brake",
    )
    assert _stops(system, task["id"], "SUCCESSFUL") == done
    assert _stops(system, task["id"], "RUNNING") == 0
    assert {one["status"] for one in system.task(waiting)["subtasks"]} == {"READY", "PENDING"}

    assert system.command("brake", "release") == "The brake is off: 2 tasks that waited went on.\n"
    assert system.ended(task["id"])["status"] == "SUCCESSFUL"
    assert system.ended(waiting)["status"] == "SUCCESSFUL"


async def test_a_backup_from_the_middle_of_the_work(system: System, tmp_path: Path) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    ended = system.ended(system.stop([30])["id"])
    task = system.stop(HOSTS[:20])
    wait_until(lambda: _stops(system, task["id"], "SUCCESSFUL") >= 3, 30, "the first hosts to be done")
    file = tmp_path / "record"
    told = system.command("backup", str(file)).splitlines()
    assert told[0].startswith("Backed up 2 tasks, 30 hosts and ")
    assert system.command("restore", str(file), "--check").startswith(f"{file} is complete: 2 tasks, 30 hosts and ")
    lost = system.stop([29])["id"]

    for child in [*system.workers.values(), *(one for one in system.supervisor.children if one.name == "api")]:
        assert child.process is not None
        child.process.send_signal(signal.SIGKILL)
        child.process.wait()
    wait_until(lambda: _restored(system, str(file)), 30, "the workers to count as dead")
    system.start_api("api-2")
    system.workers.clear()
    system.start_worker("worker-3")
    system.ready()

    assert system.task(ended["id"])["status"] == "SUCCESSFUL"
    assert system.client.get(f"/tasks/instances/{lost}").status_code == 404, "it came after the backup"
    assert "restored from record: check it before anything runs" in system.command("brake", "status")
    before = system.task(task["id"])
    system.command("brake", "release", "--yes")
    after = system.ended(task["id"])
    assert after["status"] == "SUCCESSFUL", "what ran at the backup was lost with its workers, and runs again"
    assert len(of_step(before, STOP)) == 20
    assert system.stop([29])["id"] > 10**6, "no number is given twice"
    entries = system.client.get("/audit").json()["data"]["contents"]
    assert "restore" in {entry["path"] for entry in entries}


def _met_the_brake(system: System) -> bool:
    return any("braked" in worker.log.read_text() for worker in system.workers.values())


def _restored(system: System, file: str) -> bool:
    try:
        return "Restored 2 tasks, 30 hosts and " in system.command("restore", file, "--replace", "--yes")
    except AssertionError as refused:
        assert "workers are alive in the store" in str(refused)  # noqa: PT017 - any other refusal is a fault
        return False


def _stops(system: System, task_id: int, status: str) -> int:
    return sum(subtask["status"] == status for subtask in of_step(system.task(task_id), STOP))
