"""A host that hangs for its whole limit is its own problem: no other host waits for it, and no other task."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.system import BRISK, STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import RealHosts, System

HANGING = 1
LIMIT = 40
"""Seconds for one host: the others are done and another task has ended before, on however busy a machine."""


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {
        "OCPFLEET_HOST_TIME_LIMIT": str(LIMIT),
        "OCPFLEET_SSH_CONNECT_TIMEOUT": "300",
        "OCPFLEET_SSH_LOGIN_TIMEOUT": "300",
        "OCPFLEET_MAX_LANES": "1",
        "OCPFLEET_LANE_WINDOW": "2",
    }
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 9, pace=BRISK) as hosts:
        yield hosts


async def test_nobody_waits_for_a_wedged_host(system: System, hosts: RealHosts, silent: int) -> None:
    hosts.targets[HANGING] = replace(hosts.targets[HANGING], address="127.0.0.1", port=silent)
    await system.add_hosts(list(hosts.targets.values()))

    first = system.stop(range(1, 8))
    wait_until(lambda: _settled(system, first["id"]) == 6, LIMIT - 2, "the other six hosts of the task to be stopped")
    assert system.task(first["id"])["status"] == "RUNNING"
    second = system.ended(system.stop([8, 9])["id"])
    assert second["status"] == "SUCCESSFUL"
    assert system.task(first["id"])["status"] == "RUNNING"

    ended = system.ended(first["id"], timeout=LIMIT + 10)
    assert ended["status"] == "FAILED"
    stops = of_step(ended, STOP)
    assert [subtask["status"] for subtask in stops] == ["FAILED", *["SUCCESSFUL"] * 6]
    assert f"Timed out: {LIMIT} s" in system.log(ended["id"], stops[0]["id"])


def _settled(system: System, task_id: int) -> int:
    return sum(subtask["status"] == "SUCCESSFUL" for subtask in of_step(system.task(task_id), STOP))
