"""Workers and the store are killed, or stand still, in mid-work: every task ends as it should, by itself."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from demo.agents import Pace
from tests.support.system import STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import Json, RealHosts, System

LINGERING = Pace(monagent_linger=2.0, poll=0.2, exit_polls=50)
SOON = {"OCPFLEET_LOST_AFTER": "4", "OCPFLEET_BEAT_EVERY": "0.5", "OCPFLEET_RECONCILE_EVERY": "0.5"}


@pytest.fixture
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    workers = getattr(request, "param", 1)
    limits = {"OCPFLEET_REDIS_TIMEOUT": "2", "OCPFLEET_COMMAND_TIMEOUT": "120"}  # fifty agents at once are slow
    with running(tmp_path / "system", workers=workers, **limits, **SOON) as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System, request: pytest.FixtureRequest) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, getattr(request, "param", 6), pace=LINGERING) as hosts:
        yield hosts


def kill(child: Child) -> None:
    assert child.process is not None
    child.process.kill()
    child.process.wait()


def in_work(system: System, task: Json) -> list[Json]:
    return [one for one in of_step(system.task(task["id"]), STOP) if one["status"] == "RUNNING"]


def stops(hosts: RealHosts) -> list[int]:
    """Return how often each host was told to stop its agent."""
    return [
        sum((command.verb, command.edge) == ("stop", "start") for command in agent.read_commands())
        for agent in hosts.agents.values()
    ]


@pytest.mark.parametrize("hosts", [50], indirect=True)
async def test_the_only_worker_and_then_the_store_are_killed_in_the_middle_of_fifty_stops(
    system: System, hosts: RealHosts
) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    task = system.stop(list(hosts.agents))
    wait_until(lambda: len(in_work(system, task)) > 10, 30, "many hosts to be in work")
    kill(system.workers["worker-1"])
    assert system.redis is not None
    kill(system.redis)

    system.redis.start()
    system.workers["worker-1"].start()

    wait_until(lambda: system.client.get("/compute/hosts").is_success, 30, "the API to have its store back")
    ended = system.ended(task["id"], timeout=180)
    assert ended["status"] == "SUCCESSFUL", [system.log(task["id"], one["id"]) for one in of_step(ended, STOP)][:3]
    assert {one["runTime"] for one in ended["subtasks"]} == {1}
    assert not any(agent.list_processes() for agent in hosts.agents.values())
    assert max(stops(hosts)) <= 2, "one run, and one for the loss"
    listed = system.client.get("/compute/hosts", params={"size": 50}).json()["data"]["contents"]
    assert {(host["hostAgentStatus"], host["holderTaskId"]) for host in listed} == {("OFFLINE", None)}


@pytest.mark.parametrize("system", [2], indirect=True)
async def test_one_of_two_workers_is_killed_and_the_other_one_goes_on(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    task = system.stop(list(hosts.agents))
    wait_until(lambda: len({one["executor"] for one in in_work(system, task)}) == 2, 30, "both workers to be at it")
    kill(system.workers["worker-2"])

    ended = system.ended(task["id"], timeout=60)

    assert ended["status"] == "SUCCESSFUL"
    assert {one["executor"].split("@")[0] for one in of_step(ended, STOP)} == {"worker-1"}
    assert not any(agent.list_processes() for agent in hosts.agents.values())


@pytest.mark.parametrize("system", [2], indirect=True)
async def test_a_worker_that_stood_still_for_too_long_writes_nothing_any_more(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    task = system.stop(list(hosts.agents))
    wait_until(lambda: len({one["executor"] for one in in_work(system, task)}) == 2, 30, "both workers to be at it")
    frozen = system.workers["worker-2"].process
    assert frozen is not None
    frozen.send_signal(signal.SIGSTOP)
    try:
        ended = system.ended(task["id"], timeout=60)
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert ended["status"] == "SUCCESSFUL"

    again = system.ended(system.stop(list(hosts.agents))["id"])

    assert again["status"] == "SUCCESSFUL"
    assert system.task(task["id"]) == ended
    assert max(stops(hosts)) <= 3


async def test_a_rollback_survives_its_worker(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    broken = hosts.agents[1]
    broken.agentctl.rename(broken.agentctl.with_suffix(".away"))
    task = system.ended(system.stop(list(hosts.agents))["id"])
    assert task["status"] == "FAILED"
    broken.agentctl.with_suffix(".away").rename(broken.agentctl)
    assert system.client.post(f"/tasks/instances/{task['id']}/rollback").is_success
    wait_until(lambda: len(in_work(system, task)) > 3, 30, "the rollback to be at its hosts")

    kill(system.workers["worker-1"])
    system.workers["worker-1"].start()

    ended = system.ended(task["id"], timeout=60)
    assert (ended["status"], ended["operation"]) == ("SUCCESSFUL", "ROLLBACK")
    assert {one["status"] for one in ended["subtasks"]} == {"PENDING"}
    assert all(len(agent.list_processes()) == 3 for agent in hosts.agents.values())
