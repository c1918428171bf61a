"""Two tasks want the same host: the second one's taking of it is skipped, and still nothing of it reaches the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.system import STOP, of_step, real_hosts, running, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, RealHosts, System

BROKEN, SHARED, OWN = 1, 2, 3
PREPARE, FINISH = "Prepare stop OCP agent", "Finish OCP agent operation"
NOTHING = {
    STOP: "Nothing was done: the taking of this host was skipped, so this task never held it.",
    FINISH: "nothing was changed.",
}
"""How the later steps end on a host that the task does not hold."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 3) as hosts:
        yield hosts


async def test_a_skipped_taking_never_leads_to_work_on_the_host(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    hosts.agents[BROKEN].agentctl.unlink()
    first = system.ended(system.stop([BROKEN, SHARED])["id"])
    assert first["status"] == "FAILED", "it keeps its hosts"
    hosts.agents[SHARED].start()
    held = _host(system, SHARED)
    assert held["holderTaskId"] == first["id"]
    before = hosts.connections(SHARED), hosts.agents[SHARED].read_commands(), hosts.agents[SHARED].list_processes()

    second = system.ended(system.stop([SHARED, OWN])["id"])
    takings = of_step(second, PREPARE)
    assert [subtask["status"] for subtask in takings] == ["FAILED", "FAILED"]
    assert f"task {first['id']} holds host {SHARED}." in system.log(second["id"], takings[0]["id"])
    system.post(f"{second['id']}/subtasks/{takings[0]['id']}/skip")
    assert system.ended(second["id"])["status"] == "FAILED", "the other one is a matter of its own"
    system.post(f"{second['id']}/retry")

    ended = system.ended(second["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert {status for each in statuses(ended).values() for status in each} == {"SUCCESSFUL"}
    assert [(each["operation"], each["runTime"]) for each in of_step(ended, PREPARE)] == [("SKIP", 1), ("RETRY", 2)]
    for step, said in NOTHING.items():
        log = system.log(second["id"], of_step(ended, step)[0]["id"]).splitlines()
        assert len(log) == 2, "a separator and a sentence"
        assert log[1].endswith(said)
    after = hosts.connections(SHARED), hosts.agents[SHARED].read_commands(), hosts.agents[SHARED].list_processes()
    assert after == before, "nobody knocked at the shared host, and its agent lives on"
    assert _host(system, SHARED) == held
    assert hosts.connections(OWN) > 0
    assert hosts.agents[OWN].list_processes() == []
    assert _host(system, OWN)["holderTaskId"] is None

    program = hosts.agents[OWN].agentctl
    hosts.agents[BROKEN].agentctl.write_bytes(program.read_bytes())
    hosts.agents[BROKEN].agentctl.chmod(0o755)
    system.post(f"{first['id']}/retry")
    assert system.ended(first["id"])["status"] == "SUCCESSFUL", "the first task has lost nothing"
    assert _host(system, SHARED)["holderTaskId"] is None


def _host(system: System, host_id: int) -> Json:
    reply = system.client.get(f"/compute/hosts/{host_id}")
    assert reply.status_code == httpx.codes.OK, reply.text
    host: Json = reply.json()["data"]
    return host
