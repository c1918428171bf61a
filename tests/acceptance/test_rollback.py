"""A task that failed is rolled back: the agents that it stopped run again, and every host is as it was."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from demo.agents import Pace
from tests.support.system import BRISK, STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.agents import StandInAgent
    from tests.support.system import Json, RealHosts, System

pytestmark = pytest.mark.xdist_group("rollback")  # one process starts their system, once

FIRST_IDS = itertools.count(1, 10)
"""Of each test's three hosts: hosts of their own, since an inventory remembers how a test left them."""
PREPARE, FINISH = "Prepare stop OCP agent", "Finish OCP agent operation"
AS_BEFORE = ("ONLINE", "AVAILABLE", None)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("system"), OCPFLEET_BEAT_EVERY="0.5") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System, request: pytest.FixtureRequest) -> Iterator[RealHosts]:
    pace = getattr(request, "param", BRISK)
    with real_hosts(tmp_path / "hosts", system.key, 3, pace=pace, first_id=next(FIRST_IDS)) as hosts:
        asyncio.run(system.add_hosts(list(hosts.targets.values())))
        yield hosts


def post(system: System, path: str) -> Json:
    reply = system.client.post(path)
    assert reply.status_code == httpx.codes.OK, reply.text
    data: Json = reply.json()["data"]
    return data


def host(system: System, host_id: int) -> tuple[str, str, int | None]:
    document = system.client.get(f"/compute/hosts/{host_id}").json()["data"]
    return document["status"], document["hostAgentStatus"], document["holderTaskId"]


def all_of(system: System, hosts: RealHosts) -> list[tuple[str, str, int | None]]:
    return [host(system, host_id) for host_id in hosts.agents]


def pids(agent: StandInAgent) -> dict[str, int]:
    return {name: pid for pid, name in agent.list_processes()}


def ready(agent: StandInAgent) -> bool:
    return json.loads(agent.control("status").stdout)["message"]["ready"] is True


def rolled_back(system: System, task_id: int) -> Json:
    task = post(system, f"/tasks/instances/{task_id}/rollback")
    assert (task["status"], task["operation"]) == ("RUNNING", "ROLLBACK")
    ended = system.ended(task_id)
    logs = [system.log(task_id, one["id"])[-300:] for one in of_step(ended, STOP)]
    assert (ended["status"], ended["operation"]) == ("SUCCESSFUL", "ROLLBACK"), logs
    assert {one["status"] for one in ended["subtasks"]} == {"PENDING"}
    assert {one["runTime"] for one in ended["subtasks"]} == {1}
    return ended


def test_agents_that_a_failed_task_stopped_run_again(system: System, hosts: RealHosts) -> None:
    stopped, broken, idle = hosts.agents.values()
    idle.control("stop")
    before = [pids(agent) for agent in hosts.agents.values()]
    broken.agentctl.rename(broken.agentctl.with_suffix(".away"))
    task = system.ended(system.stop(list(hosts.agents))["id"])
    assert [one["status"] for one in of_step(task, STOP)] == ["SUCCESSFUL", "FAILED", "SUCCESSFUL"]
    assert not pids(stopped)
    broken.agentctl.with_suffix(".away").rename(broken.agentctl)

    ended = rolled_back(system, task["id"])

    assert pids(stopped).keys() == before[0].keys()
    assert not set(pids(stopped).values()) & set(before[0].values())
    assert ready(stopped)
    assert pids(broken) == before[1], "what was not stopped was not started either"
    assert pids(idle) == {}, "what was stopped before the task stays stopped"
    assert all_of(system, hosts) == [AS_BEFORE] * 3
    first, second, third = (system.log(task["id"], one["id"]) for one in of_step(ended, STOP))
    assert first.count("############ROLLBACK") == 1
    assert "Started: processes " in first
    assert "Was already running: " in second
    assert "no run of this subtask changed the agent on this host" in third
    assert {one["operation"] for one in of_step(ended, PREPARE)} == {"ROLLBACK"}
    assert {one["operation"] for one in of_step(ended, FINISH)} == {"EXECUTE"}
    again = system.client.post(f"/tasks/instances/{task['id']}/rollback")
    assert (again.status_code, again.json()["error"]["code"]) == (400, 20003)
    assert system.ended(system.stop(list(hosts.agents))["id"])["status"] == "SUCCESSFUL"


@pytest.mark.alone
@pytest.mark.parametrize("hosts", [Pace()], ids=["the real pace"], indirect=True)
def test_a_stop_of_six_seconds_is_cancelled_after_one_and_rolled_back_at_once(system: System, hosts: RealHosts) -> None:
    before = {host_id: pids(agent) for host_id, agent in hosts.agents.items()}
    task = system.stop(list(hosts.agents))
    wait_until(lambda: all(stopping_for(agent) > 1 for agent in hosts.agents.values()), 15, "every stop to be at it")

    post(system, f"/tasks/instances/{task['id']}/cancel")
    assert system.ended(task["id"], timeout=4)["status"] == "FAILED"
    assert any(pids(agent) for agent in hosts.agents.values()), "some stop still goes on"
    ended = rolled_back(system, task["id"])

    for host_id, agent in hosts.agents.items():
        assert pids(agent).keys() == before[host_id].keys()
        assert not set(pids(agent).values()) & set(before[host_id].values())
        assert ready(agent)
    assert all_of(system, hosts) == [AS_BEFORE] * 3
    logs = [system.log(task["id"], one["id"]) for one in of_step(ended, STOP)]
    assert any("another start or stop" in log or "agentd is stopping" in log for log in logs), "as some stop went on"


def stopping_for(agent: StandInAgent) -> float:
    """Return for how many seconds a stop has been at work on an agent; 0 where none is."""
    began = [command.at_ms for command in agent.read_commands() if (command.verb, command.edge) == ("stop", "start")]
    return time.time() - began[0] / 1000 if began else 0.0


def test_a_host_is_released_and_another_task_has_it(system: System, hosts: RealHosts) -> None:
    first, broken, _ = hosts.agents
    program = hosts.agents[broken].agentctl
    program.rename(program.with_suffix(".away"))
    task = system.ended(system.stop(list(hosts.agents))["id"])
    refused = system.ended(system.stop([first])["id"])
    log = system.log(refused["id"], of_step(refused, PREPARE)[0]["id"])
    assert f"task {task['id']} holds host {first}." in log

    released = post(system, f"/compute/hosts/{first}/release")

    assert (released["status"], released["hostAgentStatus"], released["holderTaskId"]) == ("OFFLINE", "OFFLINE", None)
    started = system.ended(post(system, f"/compute/hosts/{first}/agent/start")["id"])
    assert started["status"] == "SUCCESSFUL"
    program.with_suffix(".away").rename(program)
    rolled_back(system, task["id"])
    assert all_of(system, hosts) == [AS_BEFORE] * 3
    assert all(ready(agent) for agent in hosts.agents.values())
