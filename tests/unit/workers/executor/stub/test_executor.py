"""Stops and starts on stub hosts end like those on real hosts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.command import Command
from core.journal import Journal
from core.outcome.agentctl import NotInstalled, Refused
from core.outcome.base import Outcome, TimedOut
from core.outcome.reach import Unreachable
from core.outcome.start import AlreadyRunning, NotReady, Started
from core.outcome.stop import AlreadyStopped, StillRunning, Stopped
from tests.support.scripted import TARGET
from workers.agent.decide.start import decide_start
from workers.agent.decide.stop import decide_stop
from workers.agent.run import Run
from workers.agent.timing import Timing
from workers.executor.base import HostConnectionError
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from workers.agent.decide.table import Decide

QUICK = Timing(
    verify_after_timeout=0.02,
    orphan_wait=0.02,
    kill_wait=0.02,
    poll_every=0.01,
    command_timeout=0.05,
    settle_for=0.1,
    ready_for=0.1,
    proof_gap=0.06,
)


async def run(executor: StubExecutor, decide: Decide, host_id: int, timing: Timing) -> Outcome:
    async def permit() -> None:
        pass

    target = replace(TARGET, host_id=host_id)
    try:
        async with executor.connect(target) as session:
            return await Run(session, target, timing, Journal(lambda: 0), permit).follow(decide)
    except HostConnectionError as failure:
        return failure.outcome


async def stop(executor: StubExecutor, host_id: int = 7, timing: Timing = QUICK) -> Outcome:
    return await run(executor, decide_stop, host_id, timing)


async def start(executor: StubExecutor, host_id: int = 7) -> Outcome:
    return await run(executor, decide_start, host_id, QUICK)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (Behaviour.HEALTHY, AlreadyRunning),
        (Behaviour.STOPPED, Started),
        (Behaviour.UNREACHABLE, Unreachable),
        (Behaviour.LOST, Unreachable),
        (Behaviour.WEDGED, TimedOut),
        (Behaviour.ORPHANS, Started),
        (Behaviour.STUBBORN, AlreadyRunning),
        (Behaviour.REFUSING, Refused),
        (Behaviour.LAME, NotReady),
        (Behaviour.PROXIED, AlreadyRunning),
        (Behaviour.MISSING, NotInstalled),
    ],
)
async def test_each_behaviour_at_a_start(behaviour: Behaviour, expected: type[Outcome]) -> None:
    executor = StubExecutor(behaviours={7: behaviour})

    assert type(await start(executor)) is expected


async def test_an_agent_that_was_stopped_starts_with_new_processes() -> None:
    executor = StubExecutor()
    await stop(executor)

    outcome = await start(executor)

    assert outcome == Started(executor.list_pids(7))
    assert executor.count_commands(7) == {"look": 2, "stop": 1, "start": 1, "status": 2}
    assert isinstance(await stop(executor), Stopped)


async def test_an_agent_stops_with_one_command_and_stays_stopped() -> None:
    executor = StubExecutor()

    first, second = await stop(executor), await stop(executor)

    assert isinstance(first, Stopped)
    assert len(first.pids) == 3
    assert second == AlreadyStopped()
    assert executor.count_commands(7) == {"stop": 2}
    assert executor.list_pids(7) == ()
    executor.start_agent(7)
    assert isinstance(await stop(executor), Stopped)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (Behaviour.HEALTHY, Stopped),
        (Behaviour.STOPPED, AlreadyStopped),
        (Behaviour.UNREACHABLE, Unreachable),
        (Behaviour.LOST, Unreachable),
        (Behaviour.WEDGED, TimedOut),
        (Behaviour.ORPHANS, Stopped),
        (Behaviour.STUBBORN, StillRunning),
        (Behaviour.REFUSING, Refused),
        (Behaviour.MISSING, NotInstalled),
    ],
)
async def test_each_behaviour(behaviour: Behaviour, expected: type[Outcome]) -> None:
    executor = StubExecutor(behaviours={7: behaviour})

    assert type(await stop(executor)) is expected
    assert type(await stop(executor, 8)) is Stopped


async def test_every_nth_host_can_be_wedged() -> None:
    executor = StubExecutor(wedged_every=7)

    assert [type(await stop(executor, host_id)) for host_id in (13, 14, 15)] == [Stopped, TimedOut, Stopped]


async def test_a_stubborn_agent_ends_at_kill() -> None:
    executor = StubExecutor(behaviours={7: Behaviour.STUBBORN})

    assert isinstance(await stop(executor, timing=replace(QUICK, kill_allowed=True)), Stopped)
    assert executor.list_pids(7) == ()


async def test_a_run_on_a_wedged_host_ends_when_it_is_cancelled() -> None:
    executor = StubExecutor(behaviours={7: Behaviour.WEDGED})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await stop(executor, timing=Timing())


async def test_only_stop_and_start_are_delayed() -> None:
    executor = StubExecutor(delay_seconds=0.03)
    started = asyncio.get_running_loop().time()

    await stop(executor)

    assert asyncio.get_running_loop().time() - started >= 0.03
    async with executor.connect(TARGET) as session:
        assert (await session.run(Command.of("true"), timeout=1)).exit_status == 0
    assert executor.count_commands(7)["other"] == 1
    await executor.aclose()
