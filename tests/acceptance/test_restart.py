"""Three hosts with real agents: restarted together, one stopped and started again, all through HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.system import of_step, real_hosts, running, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.agents import StandInAgent
    from tests.support.system import Json, RealHosts, System

pytestmark = pytest.mark.xdist_group("restart")  # one process starts their system, once

HOSTS = [1, 2, 3]
START = "Start all OCP agent processes"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path_factory.mktemp("hosts"), system.key, len(HOSTS)) as hosts:
        asyncio.run(system.add_hosts(list(hosts.targets.values())))
        yield hosts


def ask(system: System, path: str, host_ids: list[int] | None = None) -> Json:
    """Make a request that must be accepted, and return its task once it has ended."""
    reply = system.client.post(f"/compute/hosts/{path}", json={"hostIds": host_ids} if host_ids else None)
    assert reply.status_code == 200, reply.text
    return system.ended(reply.json()["data"]["id"])


def pids(agent: StandInAgent) -> dict[str, int]:
    return {name: pid for pid, name in agent.list_processes()}


def ready(agent: StandInAgent) -> bool:
    return json.loads(agent.control("status").stdout)["message"]["ready"] is True


def host(system: System, host_id: int) -> tuple[str, str, int | None]:
    document = system.client.get(f"/compute/hosts/{host_id}").json()["data"]
    return document["status"], document["hostAgentStatus"], document["holderTaskId"]


def test_a_batch_restart_gives_every_host_a_new_agent_that_is_ready(system: System, hosts: RealHosts) -> None:
    before = {host_id: pids(agent) for host_id, agent in hosts.agents.items()}

    task = ask(system, "batchRestartAgents", HOSTS)

    assert task["status"] == "SUCCESSFUL", [system.log(task["id"], one["id"]) for one in of_step(task, START)]
    assert len(task["subtasks"]) == 5 * 3 + 4
    assert {status for step in statuses(task).values() for status in step} == {"SUCCESSFUL"}
    for host_id, agent in hosts.agents.items():
        after = pids(agent)
        assert after.keys() == before[host_id].keys()
        assert not set(after.values()) & set(before[host_id].values())
        assert ready(agent)
        assert host(system, host_id) == ("ONLINE", "AVAILABLE", None)
    for subtask, agent in zip(of_step(task, START), hosts.agents.values(), strict=True):
        log = system.log(task["id"], subtask["id"])
        named = ", ".join(map(str, sorted(pids(agent).values())))
        assert f"Started: processes {named} run; two looks found the agent ready, with the same agentd." in log
    (_, proxy, _) = of_step(task, "Restart pos proxy")
    assert "there is nothing to restart" in system.log(task["id"], proxy["id"])


def test_one_agent_is_stopped_and_started_and_the_others_are_left_alone(system: System, hosts: RealHosts) -> None:
    others = {host_id: pids(hosts.agents[host_id]) for host_id in (1, 3)}

    stopped = ask(system, "2/agent/stop")
    assert stopped["status"] == "SUCCESSFUL"
    assert [subtask["name"] for subtask in sorted(stopped["subtasks"], key=lambda one: one["seriesId"])] == [
        "Prepare stop OCP agent",
        "Stop all OCP agent processes",
        "Finish OCP agent operation",
    ]
    assert pids(hosts.agents[2]) == {}
    assert host(system, 2) == ("OFFLINE", "OFFLINE", None)

    assert ask(system, "2/agent/start")["status"] == "SUCCESSFUL"
    assert ready(hosts.agents[2])
    assert host(system, 2) == ("ONLINE", "AVAILABLE", None)
    assert {host_id: pids(hosts.agents[host_id]) for host_id in (1, 3)} == others


def test_a_single_restart_and_a_start_of_agents_that_run(system: System, hosts: RealHosts) -> None:
    before = pids(hosts.agents[1])

    restarted = ask(system, "1/agent/restart")
    assert restarted["status"] == "SUCCESSFUL"
    assert len(restarted["subtasks"]) == 5
    after = pids(hosts.agents[1])
    assert not set(after.values()) & set(before.values())

    started = ask(system, "batchStartAgents", HOSTS)
    assert started["status"] == "SUCCESSFUL"
    assert len(started["subtasks"]) == 3 * 3 + 2
    assert pids(hosts.agents[1]) == after
    log = system.log(started["id"], of_step(started, START)[0]["id"])
    assert "Was already running: processes" in log
