"""A thousand hosts over a fleet of two workers, without any host: what is tested is the orchestration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.system import STOP, of_step, running, statuses, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, System

HOSTS = range(1, 1001)


@pytest.fixture
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    delay = getattr(request, "param", "0.05")
    with running(tmp_path, workers=2, OCPFLEET_EXECUTOR="stub", OCPFLEET_STUB_DELAY=delay) as system:
        yield system


async def test_both_workers_do_their_share_and_the_pages_stay_correct(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in HOSTS])

    accepted = system.stop(list(HOSTS))

    assert len(accepted["subtasks"]) == 3 * len(HOSTS) + 2
    assert accepted["context"]["listMap"]["host_ids"] == [str(host_id) for host_id in HOSTS]
    ended = system.ended(accepted["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert {status for each in statuses(ended).values() for status in each} == {"SUCCESSFUL"}
    assert [subtask["id"] for subtask in _sorted(ended)] == [subtask["id"] for subtask in _sorted(accepted)]
    done = Counter(subtask["executor"] for subtask in of_step(ended, STOP))
    assert len(done) == 2
    assert min(done.values()) >= len(HOSTS) / 4, done
    assert all(subtask["startTime"] and subtask["finishTime"] for subtask in ended["subtasks"])


async def test_a_small_batch_spreads_over_both_workers(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in range(1, 11)])

    ended = system.ended(system.stop(range(1, 11))["id"])

    assert len({subtask["executor"] for subtask in of_step(ended, STOP)}) == 2


@pytest.mark.alone
@pytest.mark.parametrize("system", ["4"], indirect=True)
async def test_one_host_behind_a_thousand_does_not_wait_for_them(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in range(1, 1002)])

    many = system.stop(list(HOSTS))
    wait_until(lambda: _running(system, many) > 0, 30, "the thousand to be in work")
    one = system.stop([1001])
    wait_until(lambda: _running(system, one) == 1, 30, "the one to be in work")

    assert system.task(many["id"])["status"] == "RUNNING"
    assert system.ended(one["id"])["status"] == "SUCCESSFUL"
    assert system.ended(many["id"])["status"] == "SUCCESSFUL"


def _running(system: System, task: Json) -> int:
    return sum(subtask["status"] == "RUNNING" for subtask in of_step(system.task(task["id"]), STOP))


def _sorted(task: Json) -> list[Json]:
    return sorted(task["subtasks"], key=lambda subtask: subtask["seriesId"])
