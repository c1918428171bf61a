"""From an inventory file to stopped agents, by the command line: import, trust, list."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.system import BRISK, STOP, of_step, real_hosts, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.system import RealHosts, System

COLUMNS = ("id", "innerIpAddress", "sshPort", "sshUser", "agentHome", "alias")


@pytest.fixture
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    settings = getattr(request, "param", {})
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 2, pace=BRISK) as hosts:
        yield hosts


def _file(path: Path, hosts: RealHosts) -> Path:
    """Write the hosts as an inventory without host keys."""
    with path.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for target in hosts.targets.values():
            name = f"web-{target.host_id}"
            writer.writerow([target.host_id, target.address, target.port, target.user, target.agent_home, name])
    return path


def _stop_verdicts(system: System, host_ids: Sequence[int]) -> list[str]:
    task = system.ended(system.stop(host_ids)["id"])
    return [system.log(task["id"], subtask["id"]) for subtask in of_step(task, STOP)]


def test_hosts_are_refused_until_their_keys_are_trusted(system: System, hosts: RealHosts, tmp_path: Path) -> None:
    system.command("hosts", "import", str(_file(tmp_path / "fleet.csv", hosts)))
    for log in _stop_verdicts(system, [1]):
        assert "Host key not pinned: the inventory has no hostKey for " in log
    assert hosts.sshd.log.count("Accepted publickey") == 0

    said = system.command("hosts", "trust", "2", "--yes")

    listed = json.loads(system.command("hosts", "list", "--json"))
    assert [(host["id"], host["alias"]) for host in listed] == [(1, "web-1"), (2, "web-2")]
    shown = system.client.get("/compute/hosts/2").json()["data"]["hostKeyFingerprint"]
    assert shown.startswith("SHA256:")
    assert shown in said
    assert "Stopped: processes " in _stop_verdicts(system, [2])[0]
    assert not hosts.agents[2].list_processes()
    assert len(hosts.agents[1].list_processes()) == 3


@pytest.mark.parametrize("system", [{"OCPFLEET_TRUST_ON_FIRST_USE": "true"}], indirect=True)
def test_trust_on_first_use_pins_what_it_saw(system: System, hosts: RealHosts, tmp_path: Path) -> None:
    system.command("hosts", "import", str(_file(tmp_path / "fleet.csv", hosts)))

    assert all("Stopped: processes " in log for log in _stop_verdicts(system, [1, 2]))

    for host_id in (1, 2):
        assert system.client.get(f"/compute/hosts/{host_id}").json()["data"]["hostKeyFingerprint"]
