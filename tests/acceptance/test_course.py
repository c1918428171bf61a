"""A host fails, or hangs; a person decides: retry it, skip it, cancel it, or stop the whole task."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.system import BRISK, STOP, of_step, real_hosts, running, start_all, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, RealHosts, System

pytestmark = pytest.mark.xdist_group("course")  # one process starts their system, once

HOSTS = range(1, 11)
BROKEN = 4
PATIENT = replace(BRISK, exit_polls=600)
"""A stop of an agent gives up after a minute, so that a wedged one is still at work when somebody cancels it."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path_factory.mktemp("hosts"), system.key, len(HOSTS), pace=PATIENT) as hosts:
        asyncio.run(system.add_hosts(list(hosts.targets.values())))
        yield hosts


@pytest.fixture
def hosts(fleet: RealHosts) -> RealHosts:
    """Return ten hosts, held by nobody, whose agents run."""
    start_all(fleet.agents.values())
    return fleet


def _failed(system: System, hosts: RealHosts) -> Json:
    """Stop ten hosts of which one has lost its control program."""
    program = hosts.agents[BROKEN].agentctl
    program.rename(program.with_suffix(".away"))
    task = system.ended(system.stop(HOSTS)["id"])
    assert task["status"] == "FAILED"
    program.with_suffix(".away").rename(program)
    return task


def test_a_retry_touches_only_the_host_that_failed(system: System, hosts: RealHosts) -> None:
    task = _failed(system, hosts)
    stops = of_step(task, STOP)
    assert [each["status"] for each in stops] == ["FAILED" if each == BROKEN else "SUCCESSFUL" for each in HOSTS]
    assert "Not installed: " in system.log(task["id"], stops[BROKEN - 1]["id"])
    sessions = hosts.sshd.log.count("Starting session: command")
    before = {host_id: (hosts.connections(host_id), hosts.agents[host_id].read_commands()) for host_id in HOSTS}

    retried = system.post(f"{task['id']}/retry").json()["data"]
    assert (retried["status"], retried["operation"]) == ("RUNNING", "RETRY")
    again = {each["id"]: each["operation"] for each in retried["subtasks"] if each["operation"] != "EXECUTE"}
    assert again == {stops[BROKEN - 1]["id"]: "RETRY"}

    ended = system.ended(task["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert {each["id"]: each["runTime"] for each in ended["subtasks"]} == {
        each["id"]: 1 + (each["id"] in again) for each in task["subtasks"]
    }
    untouched = [each for each in task["subtasks"] if each["status"] == "SUCCESSFUL"]
    assert [each for each in ended["subtasks"] if each in untouched] == untouched
    assert hosts.sshd.log.count("Starting session: command") - sessions == 1
    after = {host_id: (hosts.connections(host_id), hosts.agents[host_id].read_commands()) for host_id in HOSTS}
    assert {host_id for host_id in HOSTS if after[host_id] != before[host_id]} == {BROKEN}
    assert not any(agent.list_processes() for agent in hosts.agents.values())
    log = system.log(task["id"], stops[BROKEN - 1]["id"])
    assert log.count("############EXECUTE") == log.count("############RETRY") == 1


def test_a_skip_lets_the_others_finish_and_says_what_was_seen(system: System, hosts: RealHosts) -> None:
    task = _failed(system, hosts)
    skipped = of_step(task, STOP)[BROKEN - 1]
    connections = hosts.connections(BROKEN)

    reply = system.post(f"{task['id']}/subtasks/{skipped['id']}/skip").json()
    assert sorted(reply) == ["duration", "server", "status", "successful", "timestamp", "traceId"]

    ended = system.ended(task["id"])
    assert ended["status"] == "SUCCESSFUL"
    (run,) = (each for each in ended["subtasks"] if each["id"] == skipped["id"])
    assert (run["status"], run["operation"], run["runTime"]) == ("SUCCESSFUL", "SKIP", 1)
    assert hosts.connections(BROKEN) == connections
    assert len(hosts.agents[BROKEN].list_processes()) == 3
    listed = system.client.get("/compute/hosts", params={"size": 20}).json()["data"]["contents"]
    assert {host["id"]: host["hostAgentStatus"] for host in listed} == {
        host_id: "AVAILABLE" if host_id == BROKEN else "OFFLINE" for host_id in HOSTS
    }
    assert {host["holderTaskId"] for host in listed} == {None}


def test_a_wedged_host_is_cancelled_before_its_stop_gives_up(system: System, hosts: RealHosts) -> None:
    hosts.agents[BROKEN].wedge("ocp_agentd")
    task = system.stop(HOSTS)
    wait_until(lambda: _count(system, task, "SUCCESSFUL") == len(HOSTS) - 1, 30, "the other hosts to be stopped")
    subtask = of_step(system.task(task["id"]), STOP)[BROKEN - 1]
    assert subtask["status"] == "RUNNING"

    system.post(f"{task['id']}/subtasks/{subtask['id']}/cancel")

    ended = system.ended(task["id"])
    assert ended["status"] == "FAILED"
    cancelled = of_step(ended, STOP)[BROKEN - 1]
    assert (cancelled["status"], cancelled["operation"]) == ("FAILED", "CANCEL")
    assert "Cancelled: the work on this host was abandoned." in system.log(task["id"], subtask["id"])
    told = [(command.verb, command.edge) for command in hosts.agents[BROKEN].read_commands()]
    assert told[-1] == ("stop", "start"), "the stop still goes on"
    hosts.agents[BROKEN].unwedge("ocp_agentd")
    system.post(f"{task['id']}/retry")
    assert system.ended(task["id"])["status"] == "SUCCESSFUL"
    assert not any(agent.list_processes() for agent in hosts.agents.values())


async def test_a_whole_task_of_two_hundred_is_cancelled(tmp_path: Path) -> None:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_STUB_DELAY": "600", "OCPFLEET_MAX_IN_FLIGHT": "20"}
    with running(tmp_path / "many", workers=2, **settings) as system:
        await system.add_hosts([stub_target(host_id) for host_id in range(1, 201)])
        task = system.stop(range(1, 201))
        wait_until(lambda: _count(system, task, "RUNNING") == 40, 30, "both workers to be full")

        cancelled = system.post(f"{task['id']}/cancel").json()["data"]
        assert not any(each["status"] == "READY" for each in cancelled["subtasks"])

        ended = system.ended(task["id"])  # in a tenth of the time that one host takes
        assert ended["status"] == "FAILED"
        assert {(each["status"], each["operation"]) for each in of_step(ended, STOP)} == {("FAILED", "CANCEL")}


def _count(system: System, task: Json, status: str) -> int:
    return sum(subtask["status"] == status for subtask in of_step(system.task(task["id"]), STOP))
