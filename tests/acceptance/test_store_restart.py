"""The store is killed in the middle of a task and comes back on its append-only file: nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from demo.agents import Pace
from tests.support.system import STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import RealHosts, System

LINGERING = Pace(monagent_linger=4.0)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system", OCPFLEET_REDIS_TIMEOUT="2") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 4, pace=LINGERING) as hosts:
        yield hosts


async def test_a_task_goes_on_where_it_was(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    finished = system.ended(system.stop([4])["id"])
    task = system.stop([1, 2, 3])
    wait_until(lambda: _running(system, task["id"]) == 3, 20, "the hosts to be in work")
    assert system.redis is not None
    assert system.redis.process is not None
    system.redis.process.kill()
    system.redis.process.wait()

    refused = system.submit([4])
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["error"]["message"].startswith("The store does not answer")
    wait_until(lambda: not any(agent.list_processes() for agent in hosts.agents.values()), 30, "the agents to be gone")
    system.redis.start()

    wait_until(lambda: system.client.get("/compute/hosts").is_success, 20, "the API to have its store back")
    assert system.ended(task["id"])["status"] == "SUCCESSFUL"
    assert system.task(finished["id"]) == finished
    again = system.ended(system.stop([4])["id"])
    assert again["status"] == "SUCCESSFUL"
    assert again["id"] == task["id"] + 1


def _running(system: System, task_id: int) -> int:
    return sum(subtask["status"] == "RUNNING" for subtask in of_step(system.task(task_id), STOP))
