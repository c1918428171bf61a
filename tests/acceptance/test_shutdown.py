"""A worker that is told to stop finishes the hosts that it has; the others do the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.system import STOP, of_step, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import System

HOSTS = range(1, 101)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_STUB_DELAY": "1", "OCPFLEET_MAX_IN_FLIGHT": "5"}
    with running(tmp_path, workers=1, **settings) as system:
        yield system


async def test_what_a_stopping_worker_leaves_is_done_by_another(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])
    task = system.stop(HOSTS)
    wait_until(lambda: _done(system, task["id"]) >= 5, 30, "the first hosts to be done")
    leaving = system.workers["worker-1"].process
    assert leaving is not None

    leaving.terminate()
    assert leaving.wait(30) == 0
    left = len(HOSTS) - _done(system, task["id"])
    assert left > 0
    assert not any(subtask["status"] == "RUNNING" for subtask in of_step(system.task(task["id"]), STOP))
    system.start_worker("worker-2", OCPFLEET_MAX_IN_FLIGHT="100")

    ended = system.ended(task["id"])
    assert ended["status"] == "SUCCESSFUL"
    executors = [subtask["executor"].split("@")[0] for subtask in of_step(ended, STOP)]
    assert executors.count("worker-2") == left


def _done(system: System, task_id: int) -> int:
    return sum(subtask["status"] == "SUCCESSFUL" for subtask in of_step(system.task(task_id), STOP))


async def test_hosts_that_take_too_long_are_handed_over(tmp_path: Path) -> None:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_STUB_DELAY": "25", "OCPFLEET_SHUTDOWN_GRACE": "1"}
    with running(tmp_path, workers=1, **settings) as system:
        await system.add_hosts([stub_target(host_id) for host_id in range(1, 11)])
        task = system.stop(range(1, 11))
        wait_until(lambda: _running(system, task["id"]) == 10, 30, "the hosts to be in work")
        leaving = system.workers["worker-1"].process
        assert leaving is not None

        leaving.terminate()
        assert leaving.wait(15) == 0
        assert {one["status"] for one in of_step(system.task(task["id"]), STOP)} == {"READY"}
        system.start_worker("worker-2", OCPFLEET_STUB_DELAY="0")

        ended = system.ended(task["id"])
        assert ended["status"] == "SUCCESSFUL"
        assert {one["runTime"] for one in ended["subtasks"]} == {1}


def _running(system: System, task_id: int) -> int:
    return sum(subtask["status"] == "RUNNING" for subtask in of_step(system.task(task_id), STOP))
