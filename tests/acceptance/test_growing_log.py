"""A host hangs in the middle of its stop: its log can be read as far as it has come, and grows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.system import BRISK, STOP, of_step, real_hosts, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import RealHosts, System

IMPATIENT = replace(BRISK, exit_polls=25)
"""The agent's own stop gives up after two and a half seconds."""
WEDGED, HEALTHY = 1, 2


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system", workers=1) as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 2, pace=IMPATIENT) as hosts:
        yield hosts


async def test_the_log_of_a_wedged_host_grows_and_is_whole_in_the_end_once(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    wedged = hosts.agents[WEDGED].wedge("ocp_agentd")
    task = system.stop([WEDGED, HEALTHY])
    stop, other = of_step(task, STOP)
    path = f"/tasks/instances/{task['id']}/subtasks/{stop['id']}/log"
    seen: list[str] = []

    def grown() -> bool:
        """Whether there is more than what was seen last: the same, and something after it."""
        log = system.log(task["id"], stop["id"])
        assert log.startswith(seen[-1] if seen else "")
        if not seen or len(log) > len(seen[-1]):
            seen.append(log)
            return bool(log)
        return False

    wait_until(lambda: grown() and _given_up(seen), 30, "the log to grow while the host is in work")
    for told in ("############EXECUTE", "Connecting to ", f": ocp_agentd {wedged} (T)", "/bin/ocp_agentctl\n"):
        assert told in seen[-1]
    wait_until(grown, 20, "the log to grow on")
    asked = system.client.get(path, params={"runTime": 1})
    assert asked.json()["data"]["log"].startswith(seen[-1])
    assert "ETag" not in asked.headers
    missing = system.client.get(path, params={"runTime": 2})
    assert missing.json()["error"]["message"] == (
        f"runTime: subtask {stop['id']} has no log of run 2. Runs with a log: 1. "
        "A run has a log once it has gone on for a few seconds or is over."
    )
    running_still = of_step(system.task(task["id"]), STOP)
    assert [subtask["status"] for subtask in running_still] == ["RUNNING", "SUCCESSFUL"]

    hosts.agents[WEDGED].unwedge("ocp_agentd")
    assert system.ended(task["id"])["status"] == "SUCCESSFUL"
    assert grown()
    rows = seen[-1].splitlines()
    assert rows[-1].endswith("ended, no live process of the agent is left on the host.")
    assert sum("############" in row for row in rows) == 1
    assert len(set(rows)) == len(rows)
    assert "Stopped: processes " in system.log(task["id"], other["id"])


def _given_up(seen: list[str]) -> bool:
    """Whether the log was seen to grow, and the agent's own stop has given up by now."""
    return len(seen) > 1 and "wait_for_exit_timeout" in seen[-1]
