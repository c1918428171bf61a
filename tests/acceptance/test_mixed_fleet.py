"""Ten hosts, of which one cannot be reached, one is wedged, one has orphans and one is stopped already."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from demo.ports import reserve_port
from tests.support.system import BRISK, STOP, of_step, real_hosts, running, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.system import Json, RealHosts, System

pytestmark = pytest.mark.xdist_group("mixed_fleet")  # one process starts their system, once

UNREACHABLE, WEDGED, ORPHANED, STOPPED = 3, 5, 7, 9
HOSTS = range(1, 11)
IMPATIENT = replace(BRISK, exit_polls=20)
"""The agent's own stop gives up after two seconds."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path_factory.mktemp("hosts"), system.key, len(HOSTS), pace=IMPATIENT) as hosts:
        hosts.agents[WEDGED].wedge("ocp_agentd")
        hosts.agents[ORPHANED].kill("ocp_agentd")
        hosts.agents[STOPPED].control("stop")
        hosts.targets[UNREACHABLE] = replace(hosts.targets[UNREACHABLE], port=reserve_port())
        yield hosts


@pytest.fixture(scope="module")
def task(system: System, hosts: RealHosts) -> Json:
    asyncio.run(system.add_hosts(list(hosts.targets.values())))
    accepted = system.stop(list(HOSTS))
    return system.ended(accepted["id"], timeout=100)


@pytest.fixture(scope="module")
def stops(task: Json) -> dict[int, Json]:
    return dict(zip(HOSTS, of_step(task, STOP), strict=True))


def test_the_task_has_failed_and_stands_at_the_second_wait_node(task: Json) -> None:
    assert task["status"] == "FAILED"
    assert statuses(task) == {
        "0 Prepare stop OCP agent": ["SUCCESSFUL"] * 10,
        "1 Wait node": ["SUCCESSFUL"],
        "2 Stop all OCP agent processes": [
            "FAILED" if host_id in (UNREACHABLE, WEDGED) else "SUCCESSFUL" for host_id in HOSTS
        ],
        "3 Wait node": ["PENDING"],
        "4 Finish OCP agent operation": ["PENDING"] * 10,
    }


def test_the_processes_of_the_eight_are_gone_the_orphans_among_them(task: Json, hosts: RealHosts) -> None:
    assert task["status"] == "FAILED"
    alive = {host_id for host_id, agent in hosts.agents.items() if agent.list_processes()}
    assert alive == {UNREACHABLE, WEDGED}


@pytest.mark.parametrize(
    ("host_id", "said"),
    [
        (1, "Stopped: processes "),
        (STOPPED, "Was already stopped: "),
        (ORPHANED, "had to be signalled"),
        (UNREACHABLE, "Unreachable: 127.31.0.3:"),
        (WEDGED, "Still running: "),
    ],
)
def test_each_log_ends_with_the_sentence_that_is_true(
    system: System, task: Json, stops: dict[int, Json], host_id: int, said: str
) -> None:
    lines = system.log(task["id"], stops[host_id]["id"]).splitlines()
    assert any(said in line for line in lines), lines


def test_the_wedged_hosts_log_names_the_process(
    system: System, task: Json, stops: dict[int, Json], hosts: RealHosts
) -> None:
    log = system.log(task["id"], stops[WEDGED]["id"])
    assert f"{hosts.agents[WEDGED].find_pid('ocp_agentd')}" in log
    assert "wait_for_exit_timeout" in log


def test_the_hosts_are_held_by_the_task_until_somebody_decides(system: System, task: Json) -> None:
    holders = {
        host["holderTaskId"]
        for host in system.client.get("/compute/hosts", params={"size": 20}).json()["data"]["contents"]
    }
    assert holders == {task["id"]}
