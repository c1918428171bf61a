"""A thousand hosts over a fleet of two workers, without any host: what is tested is the orchestration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.system import STOP, of_step, running, statuses, stub_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import System

HOSTS = range(1, 1001)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path, workers=2, OCPFLEET_EXECUTOR="stub", OCPFLEET_STUB_DELAY="0.05") as system:
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


async def test_one_host_behind_a_thousand_does_not_wait_for_them(system: System) -> None:
    await system.add_hosts([stub_target(host_id) for host_id in range(1, 1002)])

    many = system.stop(list(HOSTS))
    one = system.ended(system.stop([1001])["id"])

    assert one["status"] == "SUCCESSFUL"
    assert system.ended(many["id"])["finishTime"] > one["finishTime"]


def _sorted(task: dict) -> list[dict]:
    return sorted(task["subtasks"], key=lambda subtask: subtask["seriesId"])
