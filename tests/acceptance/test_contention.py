"""Two requests that want the same hosts: exactly one gets them, every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.system import BRISK, of_step, real_hosts, running, start_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, RealHosts, System

ROUNDS = 20
LEFT, RIGHT = (1, 2, 3, 4), (6, 5, 4, 3)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 6, pace=BRISK) as hosts:
        yield hosts


@pytest.mark.timeout(300)
async def test_of_two_overlapping_requests_exactly_one_wins(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            start_all(hosts.agents.values())
            before = {host_id: len(agent.read_commands()) for host_id, agent in hosts.agents.items()}
            accepted = list(pool.map(system.stop, (LEFT, RIGHT)))
            ended = [system.ended(task["id"]) for task in accepted]
            _exactly_one_won(system, hosts, ended, before)


def _exactly_one_won(system: System, hosts: RealHosts, ended: list[Json], before: dict[int, int]) -> None:
    assert sorted(task["status"] for task in ended) == ["FAILED", "SUCCESSFUL"]
    winner, loser = sorted(ended, key=lambda task: task["status"], reverse=True)
    won = LEFT if winner is ended[0] else RIGHT
    stopped = {
        host_id
        for host_id, agent in hosts.agents.items()
        if any(command.verb == "stop" for command in agent.read_commands()[before[host_id] :])
    }
    assert stopped == set(won)
    assert {host_id for host_id, agent in hosts.agents.items() if not agent.list_processes()} == set(won)
    prepares = of_step(loser, "Prepare stop OCP agent")
    assert {subtask["status"] for subtask in prepares} == {"FAILED"}
    for subtask in prepares:
        assert f"task {winner['id']} holds host " in system.log(loser["id"], subtask["id"])
    listed = system.client.get("/compute/hosts").json()["data"]["contents"]
    assert {host["holderTaskId"] for host in listed} == {None}
    assert {host["id"]: host["hostAgentStatus"] for host in listed if host["id"] in won} == dict.fromkeys(
        won, "OFFLINE"
    )
