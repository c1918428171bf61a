"""The primary of the store dies and its replica takes over: what was accepted is there, and goes on by itself."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typing_extensions import override

from tests.support.sentinels import wait_for_replica, watched
from tests.support.system import FEW_AT_A_TIME, running, stops_done, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sentinels import Watched
    from tests.support.system import System

BOUND = 20
"""Seconds within which an answer must come, whatever the machine is doing."""
HOSTS = range(1, 51)
OTHERS = range(101, 1101)
"""Hosts of the requests that are made while the primary dies, each of its own."""
SETTINGS: dict[str, Any] = {**FEW_AT_A_TIME, "OCPFLEET_REPLICAS": "1", "OCPFLEET_RATE_LIMIT": "false"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "store") as servers:
        yield servers


@pytest.fixture
def system(tmp_path: Path, servers: Watched) -> Iterator[System]:
    with running(tmp_path / "system", store=servers.url, **SETTINGS) as system:
        yield system


class Requests(threading.Thread):
    """Asks for one stop after the other, each of a host of its own, until the first that is not accepted."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self._system = system
        self.accepted: list[int] = []
        self.refusal: httpx.Response | None = None

    @override
    def run(self) -> None:
        for host_id in OTHERS:
            answer = self._system.submit([host_id])
            if answer.status_code != httpx.codes.OK:
                self.refusal = answer
                return
            self.accepted.append(answer.json()["data"]["id"])


async def test_a_failover_in_the_middle_of_the_work(system: System, servers: Watched) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in (*HOSTS, *OTHERS)])
    task = system.stop(HOSTS)
    wait_until(lambda: stops_done(system, task["id"]), 30, "some host to be done")
    requests = Requests(system)
    requests.start()
    wait_until(lambda: len(requests.accepted) > 3, 30, "some more requests to be accepted")
    servers.first.kill()
    requests.join()

    assert requests.refusal is not None
    assert requests.refusal.status_code == httpx.codes.SERVICE_UNAVAILABLE, requests.refusal.text
    assert requests.refusal.json()["error"]["message"].startswith("The store does not answer")
    answers = _answers_until_it_reads_again(system, task["id"])
    assert set(answers) <= {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.OK}
    servers.wait_for_primary(servers.second)

    alone = system.submit([OTHERS[-1]])
    assert alone.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert alone.json()["error"]["message"].startswith("Only 0 of the 1 replicas that OCPFLEET_REPLICAS asks for")

    for task_id in (task["id"], *requests.accepted):
        ended = system.ended(task_id, timeout=90)
        assert ended["status"] == "SUCCESSFUL"
        assert {subtask["runTime"] for subtask in ended["subtasks"]} == {1}
    assert [name for name, worker in system.workers.items() if worker.ended is not None] == []

    servers.first.start()
    wait_for_replica(servers.second)
    assert system.ended(system.stop([OTHERS[-1]])["id"])["status"] == "SUCCESSFUL"


def _answers_until_it_reads_again(system: System, task_id: int) -> list[int]:
    answers: list[int] = []

    def reads() -> bool:
        began = time.monotonic()
        answers.append(system.client.get(f"/tasks/instances/{task_id}").status_code)
        assert time.monotonic() - began < BOUND
        return answers[-1] == httpx.codes.OK

    wait_until(reads, 60, "the API to read again")
    return answers
