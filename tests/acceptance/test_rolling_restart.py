"""Every worker in turn is stopped and started again while tasks run: nobody has to do anything, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from redis.asyncio import Redis

from infra.store import keys
from tests.chaos.rig import WORKERS, run_rig
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chaos.rig import Rig
    from tests.support.system import Json

EACH = 20
"""Hosts of a task."""
LOAD = {"OCPFLEET_MAX_IN_FLIGHT": "4", "OCPFLEET_LOST_AFTER": "30", "OCPFLEET_ALIVE_FOR": "30"}
VERBS = ("Restart", "Stop", "Restart", "Stop")
"""What the tasks do: two of them at first, and one more before each worker but the first one leaves."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Three workers with room for four hosts each, which at SIGTERM get one second; hosts that take up to five."""
    with run_rig(tmp_path, EACH * len(VERBS), 1, **LOAD) as rig:
        rig.calm_hosts()
        yield rig


def hosts_of(number: int) -> range:
    return range(number * EACH + 1, (number + 1) * EACH + 1)


def submit(rig: Rig, number: int) -> int:
    """Ask for what the task with this number does; return its id."""
    body = {"hostIds": list(hosts_of(number))}
    reply = rig.system.client.post(f"/compute/hosts/batch{VERBS[number]}Agents", json=body)
    assert reply.status_code == httpx.codes.OK, reply.text
    return int(reply.json()["data"]["id"])


def in_hand(rig: Rig, worker: str, tasks: list[int]) -> list[Json]:
    """Return the subtasks that a worker runs."""
    subtasks = [one for task_id in tasks for one in rig.system.task(task_id)["subtasks"]]
    return [one for one in subtasks if one["status"] == "RUNNING" and one["executor"].startswith(f"{worker}@")]


def roll(rig: Rig, worker: str, tasks: list[int]) -> None:
    """Stop a worker in the middle of its work and start it again, as a supervisor does."""
    child = rig.system.workers[worker]
    wait_until(lambda: len(in_hand(rig, worker, tasks)) > 1, 60, f"{worker} to be at several hosts", pause=0.1)
    assert child.process is not None
    child.process.terminate()
    assert child.process.wait(60) == 0
    assert not in_hand(rig, worker, tasks)
    starts = child.log.read_text().count("ready.")
    rig.start_again(child)
    wait_until(lambda: child.log.read_text().count("ready.") > starts, 60, f"{worker} to be back")


def alive_at_last(rig: Rig) -> dict[int, bool]:
    """Return of every host whether its agent lives, as the host knows it."""
    lines = map(json.loads, rig.log.read_text().splitlines())
    return {line["host"]: line["alive"] for line in lines if line["edge"] == "end"}


async def test_all_workers_are_restarted_in_turn_under_load_and_nothing_is_lost(rig: Rig) -> None:
    tasks = [submit(rig, 0), submit(rig, 1)]
    for turn, worker in enumerate(WORKERS):
        if turn:
            tasks.append(submit(rig, turn + 1))
        roll(rig, worker, tasks)

    for task_id in tasks:
        ended = rig.system.ended(task_id, timeout=180)
        assert (ended["status"], ended["operation"]) == ("SUCCESSFUL", "EXECUTE")
        assert {(one["status"], one["runTime"]) for one in ended["subtasks"]} == {("SUCCESSFUL", 1)}
    logs = [rig.system.workers[worker].log.read_text() for worker in WORKERS]
    assert sum(log.count("host handed over") for log in logs) > 0, "some hosts were in the middle of their runs"
    assert not any("worker lost" in log for log in logs)
    async with Redis.from_url(rig.system.settings.redis_url, decode_responses=True) as client:
        assert [key async for key in client.scan_iter(f"{keys.PREFIX}task:*:losses")] == []
        assert [key async for key in client.scan_iter(f"{keys.PREFIX}claims:*")] == []
    listed = rig.system.client.get("/compute/hosts", params={"size": 100}).json()["data"]["contents"]
    expected = {host: verb == "Restart" for number, verb in enumerate(VERBS) for host in hosts_of(number)}
    assert alive_at_last(rig) == expected
    assert {host["id"]: (host["hostAgentStatus"], host["holderTaskId"]) for host in listed} == {
        host: ("AVAILABLE" if alive else "OFFLINE", None) for host, alive in expected.items()
    }
