"""A process dies between two things that belong together: it leads to one task, and to its true end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from infra.failpoint import ApiFailpoint, WorkerFailpoint
from tests.support.system import BRISK, STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import Json, RealHosts, System

SOON = {"OCPFLEET_LOST_AFTER": "4", "OCPFLEET_BEAT_EVERY": "0.5", "OCPFLEET_RECONCILE_EVERY": "0.5"}
KEY = {"Idempotency-Key": "the-gap-1"}
KILLED = -signal.SIGKILL


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system", workers=1, **SOON) as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 4, pace=BRISK) as hosts:
        yield hosts


def ask(system: System, hosts: RealHosts) -> httpx.Response:
    return system.client.post("/compute/hosts/batchStopAgents", json={"hostIds": list(hosts.agents)}, headers=KEY)


def died(child: Child) -> None:
    wait_until(lambda: child.ended is not None, 60, f"{child.name} to pass the place where it dies")
    assert child.ended == KILLED


def the_only_task(system: System) -> int:
    page: Json = system.client.get("/tasks/instances").json()["data"]
    (task,) = page["contents"]
    return int(task["id"])


def assert_done(system: System, hosts: RealHosts) -> None:
    """See that the one task ends well, that each host was told to stop, once, and that all are free again."""
    ended = system.ended(the_only_task(system), timeout=120)
    assert ended["status"] == "SUCCESSFUL", [system.log(ended["id"], one["id"]) for one in of_step(ended, STOP)]
    assert {one["runTime"] for one in ended["subtasks"]} == {1}
    assert not any(agent.list_processes() for agent in hosts.agents.values())
    told = {
        sum((command.verb, command.edge) == ("stop", "start") for command in agent.read_commands())
        for agent in hosts.agents.values()
    }
    assert told == {1}
    listed = system.client.get("/compute/hosts").json()["data"]["contents"]
    assert {(host["hostAgentStatus"], host["holderTaskId"]) for host in listed} == {("OFFLINE", None)}


async def test_an_api_process_that_dies_before_it_replies(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    doomed = system.start_api("doomed-api", OCPFLEET_FAILPOINT=ApiFailpoint.STORED)
    with pytest.raises(httpx.TransportError):
        ask(system, hosts)
    died(doomed)
    assert_done_after_asking_again(system, hosts)


async def test_an_api_process_that_replies_and_dies_before_it_publishes(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    doomed = system.start_api("doomed-api", OCPFLEET_FAILPOINT=ApiFailpoint.REPLIED)
    accepted = ask(system, hosts)
    died(doomed)
    assert accepted.status_code == httpx.codes.OK
    assert_done_after_asking_again(system, hosts)


def assert_done_after_asking_again(system: System, hosts: RealHosts) -> None:
    """See that another API process answers the same request with the one task, and that this ends well."""
    system.start_api("next-api")
    again = ask(system, hosts)

    assert again.status_code == httpx.codes.OK, again.text
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["data"]["id"] == the_only_task(system)
    assert_done(system, hosts)


@pytest.mark.parametrize("gap", WorkerFailpoint)
async def test_a_worker_that_dies_before_it_goes_on(system: System, hosts: RealHosts, gap: WorkerFailpoint) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    leaving = system.workers["worker-1"].process
    assert leaving is not None
    leaving.terminate()
    assert leaving.wait(30) == 0
    doomed = system.start_worker("worker-1", OCPFLEET_FAILPOINT=gap)
    assert ask(system, hosts).status_code == httpx.codes.OK
    died(doomed)
    assert system.task(the_only_task(system))["status"] == "RUNNING"

    system.start_worker("worker-1")

    assert_done(system, hosts)
