"""The whole start of an agent over the local connector, on stand-ins in each state that one can be found in."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
import uvloop

from core.host import Target
from core.journal import Journal
from core.outcome.agentctl import NotInstalled
from core.outcome.start import AlreadyRunning, EndedAtOnce, NotReady, Started
from core.outcome.stop import StillRunning, Stopped
from demo.agents import Pace, StandInAgent
from workers.agent.decide.start import decide_start
from workers.agent.decide.stop import decide_stop
from workers.agent.run import Run
from workers.agent.timing import Timing
from workers.executor.local import LocalExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.outcome.base import Outcome

PACE = Pace(monagent_linger=0.2, final_wait=0.5, query_wait=0.5, notice=0.1, request_wait=1.0, poll=0.1, exit_polls=10)
TIMING = Timing(
    verify_after_timeout=5.0,
    orphan_wait=2.0,
    kill_wait=2.0,
    poll_every=0.1,
    lock_retry_every=0.2,
    settle_for=15.0,
    ready_for=4.0,
    proof_gap=0.6,
)
NAMES = ["ocp_agentd", "ocp_mgragent", "ocp_monagent"]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StandInAgent]:
    agent = StandInAgent.install(tmp_path / "agent", pace=PACE)
    yield agent
    agent.destroy()


def target(agent: StandInAgent) -> Target:
    return Target(1, "127.0.0.1", 22, "me", str(agent.home), agent.prefix, sudo=False, host_key=None)


async def permit() -> None:
    pass


async def start(agent: StandInAgent, timing: Timing = TIMING) -> tuple[Outcome, str]:
    journal = Journal(lambda: 0)
    async with LocalExecutor().connect(target(agent)) as session:
        outcome = await Run(session, target(agent), timing, journal, permit).follow(decide_start)
    return outcome, "\n".join(line.text for line in journal.lines)


def pids(agent: StandInAgent) -> tuple[int, ...]:
    assert sorted(name for _, name in agent.list_processes()) == NAMES
    return tuple(sorted(pid for pid, _ in agent.list_processes()))


async def test_a_stopped_agent_and_then_a_running_one(agent: StandInAgent) -> None:
    first, _ = await start(agent)
    second, _ = await start(agent)

    assert first == Started(pids(agent))
    assert second == AlreadyRunning(pids(agent))


def test_on_the_event_loop_of_a_worker(agent: StandInAgent) -> None:
    outcome, _ = uvloop.run(start(agent))

    assert outcome == Started(pids(agent))


async def test_after_kill_minus_9_of_all_stale_files_do_not_matter(agent: StandInAgent) -> None:
    agent.start()
    for name in NAMES:
        agent.kill(name)

    outcome, _ = await start(agent)

    assert outcome == Started(pids(agent))


async def test_orphans_are_replaced(agent: StandInAgent) -> None:
    agent.start()
    agent.kill("agentd")
    orphans = {pid for pid, _ in agent.list_processes()}

    outcome, log = await start(agent)

    assert outcome == Started(pids(agent))
    assert not orphans & set(pids(agent))
    assert "Stopping the agent first: agentd is gone" in log


async def test_orphans_that_do_not_end_are_named(agent: StandInAgent) -> None:
    agent.start()
    agent.kill("agentd")
    wedged = agent.wedge("monagent")

    outcome, _ = await start(agent)

    assert isinstance(outcome, StillRunning)
    assert outcome.pids == (wedged,)


async def test_a_service_that_ended_by_itself_comes_back_with_a_new_agentd(agent: StandInAgent) -> None:
    agent.start()
    before = agent.find_pid("agentd")
    os.kill(agent.find_pid("monagent"), 15)  # its exit code is 0, and agentd leaves such a one stopped

    outcome, log = await start(agent)

    assert outcome == Started(pids(agent))
    assert agent.find_pid("agentd") != before
    assert "agentd has given up ocp_monagent" in log


async def test_a_stop_in_flight_is_waited_for(agent: StandInAgent) -> None:
    agent.start()
    before = pids(agent)
    async with LocalExecutor().connect(target(agent)) as session:
        stopping = asyncio.create_task(
            Run(session, target(agent), TIMING, Journal(lambda: 0), permit).follow(decide_stop)
        )
        await asyncio.sleep(0.15)
        outcome, _ = await start(agent)
        stopped = await stopping

    assert isinstance(outcome, Started)
    assert outcome.pids == pids(agent)
    assert not set(before) & set(outcome.pids)
    assert isinstance(stopped, Stopped)


async def test_a_pid_file_that_names_a_foreign_process(agent: StandInAgent) -> None:
    (agent.home / "run" / "ocp_agentd.pid").write_text(str(os.getpid()))

    outcome, _ = await start(agent)

    assert isinstance(outcome, EndedAtOnce)
    assert agent.list_processes() == []


async def test_a_wedged_service_is_no_ready_agent(agent: StandInAgent) -> None:
    agent.start()
    agent.wedge("mgragent")

    outcome, _ = await start(agent)

    assert isinstance(outcome, NotReady)
    assert "ocp_mgragent unknown" in outcome.detail


async def test_a_home_without_an_agent(agent: StandInAgent) -> None:
    agent.agentctl.unlink()

    outcome, _ = await start(agent)

    assert outcome == NotInstalled(str(agent.agentctl))
