"""The broker is away, or comes back empty: what is stored is accepted, and goes on as soon as there is a broker."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from demo.ports import reserve_port
from demo.supervisor import Supervisor
from infra import embedded
from tests.support.system import STOP, of_step, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import Json, System

BOUND = 20
"""Seconds within which an answer must come, whatever the machine is doing."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Child, str]]:
    port = reserve_port()
    with Supervisor(tmp_path / "broker-logs") as supervisor:
        yield supervisor.start("broker", embedded.prepare(tmp_path / "broker", port), {}), embedded.url(port)


@pytest.fixture
def system(tmp_path: Path, broker: tuple[Child, str]) -> Iterator[System]:
    settings = {
        "OCPFLEET_EXECUTOR": "stub",
        "OCPFLEET_STUB_DELAY": "0.3",
        "OCPFLEET_BROKER_URL": broker[1],
        "OCPFLEET_REDIS_TIMEOUT": "2",
        "OCPFLEET_RECONCILE_EVERY": "1",
        "OCPFLEET_MAX_IN_FLIGHT": "2",
        "OCPFLEET_MAX_LANES": "2",
    }
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


def kill(broker: tuple[Child, str]) -> None:
    process = broker[0].process
    assert process is not None
    process.kill()
    process.wait()


async def test_requests_are_accepted_without_a_broker_and_run_once_it_is_back(
    system: System, broker: tuple[Child, str]
) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in (1, 2, 3)])
    system.ended(system.stop([1])["id"])
    kill(broker)

    began = time.monotonic()
    accepted = system.submit([1, 2])
    assert time.monotonic() - began < BOUND
    assert accepted.status_code == httpx.codes.OK
    task: Json = accepted.json()["data"]
    ready = system.get("/readyz")
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json()["data"]["broker"] == "does not answer"
    assert system.task(task["id"])["status"] == "RUNNING"

    broker[0].start()
    assert system.ended(task["id"], timeout=60)["status"] == "SUCCESSFUL"
    assert system.ended(system.stop([3])["id"])["status"] == "SUCCESSFUL"


async def test_a_broker_that_comes_back_empty_has_lost_nothing(
    system: System, broker: tuple[Child, str], tmp_path: Path
) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in range(1, 31)])
    tasks = [system.stop([number, number + 10, number + 20])["id"] for number in range(1, 11)]
    wait_until(lambda: any(_working(system.task(task)) for task in tasks), 20, "some host to be in work")

    kill(broker)
    shutil.rmtree(tmp_path / "broker" / "appendonlydir")
    broker[0].start()

    ended = [system.ended(task, timeout=90) for task in tasks]
    assert {task["status"] for task in ended} == {"SUCCESSFUL"}
    assert {subtask["runTime"] for task in ended for subtask in task["subtasks"]} == {1}


def _working(task: Json) -> bool:
    return any(subtask["status"] == "RUNNING" for subtask in of_step(task, STOP))
