"""A host fails; a person decides: retry it, or skip it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.system import BRISK, STOP, of_step, real_hosts, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, RealHosts, System

HOSTS = range(1, 11)
BROKEN = 4


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, len(HOSTS), pace=BRISK) as hosts:
        yield hosts


async def _failed(system: System, hosts: RealHosts) -> Json:
    """Stop ten hosts of which one has lost its control program."""
    await system.add_hosts(list(hosts.targets.values()))
    program = hosts.agents[BROKEN].agentctl
    program.rename(program.with_suffix(".away"))
    task = system.ended(system.stop(HOSTS)["id"])
    assert task["status"] == "FAILED"
    program.with_suffix(".away").rename(program)
    return task


def _post(system: System, path: str) -> httpx.Response:
    reply = system.client.post(f"/tasks/instances/{path}")
    assert reply.status_code == httpx.codes.OK, reply.text
    return reply


async def test_a_retry_touches_only_the_host_that_failed(system: System, hosts: RealHosts) -> None:
    task = await _failed(system, hosts)
    stops = of_step(task, STOP)
    assert [subtask["status"] for subtask in stops].count("FAILED") == 1
    assert "Not installed: " in system.log(task["id"], stops[BROKEN - 1]["id"])
    before = hosts.sshd.log.count("Starting session: command")

    retried = _post(system, f"{task['id']}/retry").json()["data"]
    assert (retried["status"], retried["operation"]) == ("RUNNING", "RETRY")

    ended = system.ended(task["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert [subtask["runTime"] for subtask in of_step(ended, STOP)] == [1 + (host_id == BROKEN) for host_id in HOSTS]
    assert hosts.sshd.log.count("Starting session: command") - before == 3
    assert not any(agent.processes() for agent in hosts.agents.values())
    log = system.log(task["id"], stops[BROKEN - 1]["id"])
    assert log.count("############EXECUTE") == log.count("############RETRY") == 1


async def test_a_skip_lets_the_others_finish_and_says_what_was_seen(system: System, hosts: RealHosts) -> None:
    task = await _failed(system, hosts)

    _post(system, f"{task['id']}/subtasks/{of_step(task, STOP)[BROKEN - 1]['id']}/skip")

    ended = system.ended(task["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert len(hosts.agents[BROKEN].processes()) == 3
    listed = system.client.get("/compute/hosts", params={"size": 20}).json()["data"]["contents"]
    assert {host["id"]: host["hostAgentStatus"] for host in listed} == {
        host_id: "AVAILABLE" if host_id == BROKEN else "OFFLINE" for host_id in HOSTS
    }
    assert {host["holderTaskId"] for host in listed} == {None}


async def test_a_wedged_host_is_cancelled_in_seconds(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    hosts.agents[BROKEN].wedge("ocp_agentd")
    task = system.stop(HOSTS)
    wait_until(lambda: _count(system, task, "SUCCESSFUL") == len(HOSTS) - 1, 30, "the other hosts to be stopped")
    subtask = of_step(system.task(task["id"]), STOP)[BROKEN - 1]
    assert subtask["status"] == "RUNNING"

    _post(system, f"{task['id']}/subtasks/{subtask['id']}/cancel")

    ended = system.ended(task["id"], timeout=8)
    assert ended["status"] == "FAILED"
    cancelled = of_step(ended, STOP)[BROKEN - 1]
    assert (cancelled["status"], cancelled["operation"]) == ("FAILED", "CANCEL")
    assert "Cancelled: the work on this host was abandoned." in system.log(task["id"], subtask["id"])
    hosts.agents[BROKEN].unwedge("ocp_agentd")
    _post(system, f"{task['id']}/retry")
    assert system.ended(task["id"])["status"] == "SUCCESSFUL"
    assert not any(agent.processes() for agent in hosts.agents.values())


async def test_a_whole_task_of_two_hundred_is_cancelled(tmp_path: Path) -> None:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_STUB_DELAY": "60", "OCPFLEET_MAX_IN_FLIGHT": "20"}
    with running(tmp_path / "many", workers=2, **settings) as system:
        await system.add_hosts([stub_target(host_id) for host_id in range(1, 201)])
        task = system.stop(range(1, 201))
        wait_until(lambda: _count(system, task, "RUNNING") == 40, 30, "both workers to be full")

        cancelled = _post(system, f"{task['id']}/cancel").json()["data"]
        assert not any(each["status"] == "READY" for each in cancelled["subtasks"])

        ended = system.ended(task["id"], timeout=8)
        assert ended["status"] == "FAILED"
        assert {(each["status"], each["operation"]) for each in of_step(ended, STOP)} == {("FAILED", "CANCEL")}


def _count(system: System, task: Json, status: str) -> int:
    return sum(subtask["status"] == status for subtask in of_step(system.task(task["id"]), STOP))
