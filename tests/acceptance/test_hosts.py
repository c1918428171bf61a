"""Hosts come, are looked at and worked on process by process, and go: all through HTTP, on real agents."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from demo.agents import Pace, StandInAgent
from demo.openssh import OpenSshServer
from tests.support.system import BRISK, of_step, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.system import Json, System

HERE, EMPTY, NOWHERE = "127.31.0.1", "127.31.0.2", "127.31.0.9"
FIND = "Find OCP agent"
LIMIT = 20.0
"""Seconds for an errand, which a worker on a busy machine does in time."""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StandInAgent]:
    agent = StandInAgent.install(tmp_path / "host" / "ocp_agent", pace=BRISK)
    agent.start()
    yield agent
    agent.destroy()


@pytest.fixture
def system(tmp_path: Path, agent: StandInAgent) -> Iterator[System]:
    settings = {
        "OCPFLEET_TRUST_ON_FIRST_USE": "true",
        "OCPFLEET_AGENT_HOME": str(agent.home),
        "OCPFLEET_ERRAND_TIMEOUT": str(LIMIT),
        "OCPFLEET_SSH_USER": OpenSshServer(tmp_path / "nobody", [], [HERE]).user,
    }
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


@pytest.fixture
def sshd(tmp_path: Path, system: System) -> Iterator[OpenSshServer]:
    with OpenSshServer(tmp_path / "sshd", [system.key.line], [HERE, EMPTY]) as sshd:
        yield sshd


def create(system: System, port: int, *addresses: str, **more: object) -> list[Json]:
    """Add hosts and return their tasks once they have ended, in the order of the hosts."""
    body: dict[str, Any] = {
        "hostBasicDataList": [{"innerIpAddress": address} for address in addresses],
        "sshPort": port,
        "kind": "DEDICATED_PHYSICAL_MACHINE",
        "idcId": 100,
        "typeId": 1001,
        "credentialId": 1,
    } | more
    reply = system.client.post("/compute/hosts/batchCreate", json=body)
    assert reply.status_code == 200, reply.text
    tasks = reply.json()["data"]["contents"]
    return [system.ended(task["id"]) | {"hostId": task["hostId"]} for task in tasks]


def host(system: System, host_id: int) -> Json:
    document: Json = system.client.get(f"/compute/hosts/{host_id}").json()["data"]
    return document


def found(system: System, task: Json) -> str:
    """Return what was found on a host: the verdict of the search, and the log that led to it."""
    return system.log(task["id"], of_step(task, FIND)[0]["id"])


def test_from_adding_hosts_to_deleting_them(system: System, agent: StandInAgent, sshd: OpenSshServer) -> None:
    ready, unreachable = create(system, sshd.port, HERE, NOWHERE, description="rack 4")
    assert (ready["status"], unreachable["status"]) == ("SUCCESSFUL", "FAILED")
    one = host(system, ready["hostId"])
    assert (one["status"], one["hostAgentStatus"], one["hostAgentVersion"]) == ("ONLINE", "AVAILABLE", "4.2.2-standin")
    assert one["hostKeyFingerprint"], "its key was pinned on first use"
    assert (one["description"], one["idcId"], one["holderTaskId"]) == ("rack 4", 100, None)
    assert "Found: an OCP agent of version 4.2.2-standin; it is ready" in found(system, ready)
    two = host(system, unreachable["hostId"])
    assert (two["status"], two["hostAgentStatus"], two["holderTaskId"]) == ("NEW", "DELETED", unreachable["id"])
    assert f"Unreachable: {NOWHERE}:{sshd.port}: " in found(system, unreachable)

    bare_home = str(agent.home.parent / "nothing")
    system.environment["OCPFLEET_AGENT_HOME"] = bare_home
    system.start_api("other-api")
    (bare,) = create(system, sshd.port, EMPTY, alias="bare")
    assert bare["status"] == "SUCCESSFUL"
    assert f"Not installed: {bare_home}/bin/ocp_agentctl is missing" in found(system, bare)
    three = host(system, bare["hostId"])
    assert (three["status"], three["hostAgentStatus"], three["hostAgentVersion"]) == ("NEW", "DELETED", None)
    listed = system.client.get("/compute/hosts?status=NEW&keyword=BARE").json()["data"]["contents"]
    assert [each["id"] for each in listed] == [bare["hostId"]]

    path = f"/compute/hosts/{ready['hostId']}"
    shown = system.client.get(f"{path}/agent").json()["data"]
    assert (shown["status"], shown["version"]) == ("AVAILABLE", "4.2.2-standin")
    assert [(each["alias"], each["pid"]) for each in shown["processes"]] == [
        (f"ocp_{name}", agent.find_pid(name)) for name in ("agentd", "mgragent", "monagent")
    ]
    stopped = system.client.post(f"{path}/agent/processes/3/stop")
    assert stopped.status_code == 200, stopped.text
    assert (stopped.json()["data"]["status"], stopped.json()["data"]["pid"]) == ("STOPPED", 0)
    assert [name for _, name in agent.list_processes()] == ["ocp_agentd", "ocp_mgragent"]
    restarted = system.client.post(f"{path}/agent/processes/3/restart").json()["data"]
    assert (restarted["status"], restarted["pid"]) == ("STARTED", agent.find_pid("monagent"))
    assert restarted == system.client.get(f"{path}/agent/processes?page=3&size=1").json()["data"]["contents"][0] | {
        name: restarted[name] for name in ("elapsedTime", "lastActiveTime", "updateTime")
    }

    held = system.client.post(
        "/compute/hosts/batchDelete", json={"hostIdList": [ready["hostId"], unreachable["hostId"]]}
    )
    assert (held.status_code, held.json()["error"]["code"]) == (400, 40000)
    assert f"Host {unreachable['hostId']} is held by task {unreachable['id']}" in held.json()["error"]["message"]
    assert system.client.delete(path).status_code == 200
    assert system.client.get(path).status_code == 404
    assert len(agent.list_processes()) == 3, "the agent itself is left as it is"


def test_a_worker_that_is_killed_in_mid_work_costs_the_client_a_503_in_time(
    system: System, agent: StandInAgent, sshd: OpenSshServer
) -> None:
    StandInAgent.install(agent.home, pace=Pace(monagent_linger=30.0, final_wait=40.0, request_wait=60.0))
    agent.control("stop")
    agent.start()
    (ready,) = create(system, sshd.port, HERE)
    path = f"/compute/hosts/{ready['hostId']}/agent"

    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(system.client.post, f"{path}/processes/3/restart")
        wait_until(
            lambda: "service-stop" in {command.verb for command in agent.read_commands()}, 10, "the worker is at work"
        )
        process = system.workers["worker-1"].process
        assert process is not None
        process.kill()
        reply: httpx.Response = asked.result()
    assert time.monotonic() - began < LIMIT + 5
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    assert "The worker that took the request did not answer" in reply.json()["error"]["message"]

    system.start_worker("worker-2")
    refused = system.client.post(f"{path}/processes/2/stop")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 40000)
    assert "to restart process monagent of its agent. It ends within" in refused.json()["error"]["message"]
    looked = system.client.get(path)
    assert looked.status_code == 200, looked.text
    wait_until(
        lambda: system.client.post(f"{path}/processes/2/stop").status_code == 200,
        30,
        "the dead worker's lease to lapse",
    )
