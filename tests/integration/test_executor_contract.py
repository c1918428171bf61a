"""What every connector does alike, and the whole stop over each of them: on stand-in agents, and on the stub's."""

from __future__ import annotations

import asyncio
import os
import pwd
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvloop

from core.command import Command, Secret
from core.host import Target
from core.journal import OUTPUT_LIMIT, Journal
from core.outcome.agentctl import NotInstalled
from core.outcome.stop import AlreadyStopped, StillRunning, Stopped
from demo.agents import Pace, StandInAgent
from demo.keys import make_key_pair
from demo.openssh import OpenSshServer
from workers.agent.decide.stop import decide_stop
from workers.agent.run import Run
from workers.agent.timing import Timing
from workers.executor.local import LocalExecutor
from workers.executor.ssh.executor import SshExecutor
from workers.executor.ssh.options import SshOptions
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.outcome.base import Outcome
    from workers.executor.base import Executor

BRISK = Pace(monagent_linger=0.2, final_wait=0.5, query_wait=0.5, notice=0.1, request_wait=1.0, poll=0.1, exit_polls=5)
IMPATIENT = Timing(verify_after_timeout=1.0, orphan_wait=2.0, kill_wait=2.0, poll_every=0.1)
PATIENT = Timing(verify_after_timeout=20.0, poll_every=0.1)


@dataclass
class Site:
    """A connector, and a host that it reaches."""

    executor: Executor
    target: Target


@contextmanager
def local(home: Path) -> Iterator[Site]:
    yield Site(LocalExecutor(), Target(1, "127.0.0.1", 22, "me", str(home), "ocp", sudo=False, host_key=None))


@contextmanager
def openssh(home: Path) -> Iterator[Site]:
    keys = make_key_pair(home.parent / "client")

    async def pin(host_id: int, key_line: str) -> None:
        raise AssertionError(f"nothing was to be pinned, but {host_id} {key_line}")

    with OpenSshServer(home.parent / "sshd", [keys.line]) as server:
        user = pwd.getpwuid(os.geteuid()).pw_name
        target = Target(1, "127.0.0.1", server.port, user, str(home), "ocp", sudo=False, host_key=server.host_key)
        yield Site(SshExecutor(SshOptions(client_keys=(keys.private,)), pin), target)


@pytest.fixture(params=[local, openssh])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with request.param(tmp_path / "agent") as site:
        yield site


@pytest.fixture
def agent(site: Site) -> Iterator[StandInAgent]:
    agent = StandInAgent.install(Path(site.target.agent_home), pace=BRISK)
    yield agent
    agent.destroy()


async def stop(site: Site, timing: Timing = PATIENT) -> tuple[Outcome, Journal]:
    async def permit() -> None:
        pass

    journal = Journal(lambda: 0)
    async with site.executor.connect(site.target) as session:
        return await Run(session, site.target, timing, journal, permit).follow(decide_stop), journal


def commands(journal: Journal) -> list[str]:
    return [line.text for line in journal.lines if line.text.startswith("$ ")]


async def test_each_word_reaches_the_host_as_one_and_outputs_come_back_apart(site: Site) -> None:
    nasty = ("", "a b", "$HOME", "`id`", "'", '"', "*", "\\", "a\nb", "ü", "-n", ";exit 9")
    async with site.executor.connect(site.target) as session:
        echoed = await session.run(Command.of("printf", "%s|", *nasty, Secret("s3cret'")), timeout=10)
        apart = await session.run(Command.of("sh", "-c", "echo out; echo err >&2; exit 3"), timeout=10)
        killed = await session.run(Command.of("sh", "-c", "kill -s TERM $$"), timeout=10)
        missing = await session.run(Command.of("/nowhere/ocp_agentctl", "stop"), timeout=10)
        tty = await session.run(Command.of("sh", "-c", "test -t 0 || test -t 1 || test -t 2"), timeout=10)

    assert echoed.stdout == "|".join((*nasty, "s3cret'", ""))
    assert (apart.exit_status, apart.signal, apart.stdout, apart.stderr) == (3, None, "out\n", "err\n")
    assert killed.signal == "TERM" or killed.exit_status == 128 + 15  # some shells stay and tell of it themselves
    assert missing.exit_status == 127
    assert tty.exit_status == 1


async def test_output_is_bounded_and_undecodable_bytes_are_replaced(site: Site) -> None:
    async with site.executor.connect(site.target) as session:
        flood = await session.run(
            Command.of("sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' x; echo end"), timeout=60
        )
        odd = await session.run(Command.of("printf", "\\377\\n"), timeout=10)

    assert len(flood.stdout) <= OUTPUT_LIMIT
    assert flood.stdout.endswith("xend\n")
    assert "bytes left out" in flood.stdout
    assert odd.stdout == "\ufffd\n"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_daemon_that_a_command_leaves_behind_does_not_hold_it(site: Site) -> None:
    leaves = Command.of("sh", "-c", "setsid sleep 2 </dev/null >/dev/null 2>&1 & echo done")
    async with site.executor.connect(site.target) as session:
        completed = await session.run(leaves, timeout=1.5)

    assert (completed.exit_status, completed.stdout) == (0, "done\n")


def test_a_daemon_does_not_hold_a_local_command_on_the_workers_event_loop(tmp_path: Path) -> None:
    """The loop of a worker lets the children that it starts itself inherit more than their own outputs."""
    leaves = Command.of("sh", "-c", "setsid sleep 2 </dev/null >/dev/null 2>&1 & echo done")

    async def run() -> None:
        with local(tmp_path) as site:
            async with site.executor.connect(site.target) as session:
                handles = open_files()
                completed = [await session.run(leaves, timeout=1.5) for _ in range(5)]
                with pytest.raises(TimeoutError):
                    await session.run(Command.of("sleep", "3600"), timeout=0.1)
                await asyncio.sleep(0)
                assert open_files() <= handles + 2
        assert {(one.exit_status, one.stdout) for one in completed} == {(0, "done\n")}

    uvloop.run(run())


async def test_a_command_that_takes_too_long_is_given_up_and_the_next_one_runs(site: Site) -> None:
    async with site.executor.connect(site.target) as session:
        with pytest.raises(TimeoutError):
            await session.run(Command.of("sleep", "3600"), timeout=0.2)
        assert (await session.run(Command.of("echo", "still here"), timeout=10)).stdout == "still here\n"
    await site.executor.aclose()


async def test_a_healthy_agent_is_stopped_with_one_command_and_then_was_already(
    site: Site, agent: StandInAgent
) -> None:
    agent.start()
    pids = tuple(pid for pid, _ in agent.list_processes())

    first, journal = await stop(site)
    second, _ = await stop(site)

    assert first == Stopped(tuple(sorted(pids)))
    assert len(commands(journal)) == 1
    assert agent.list_processes() == []
    assert second == AlreadyStopped()


async def test_orphans_of_a_dead_agentd_are_told_to_end(site: Site, agent: StandInAgent) -> None:
    agent.start()
    agent.kill("agentd")
    orphans = tuple(sorted(pid for pid, _ in agent.list_processes()))

    outcome, _ = await stop(site)

    assert outcome == Stopped(orphans, signalled=orphans)
    assert agent.list_processes() == []


async def test_a_wedged_agentd_is_still_running_and_can_be_killed_where_that_is_allowed(
    site: Site, agent: StandInAgent
) -> None:
    agent.start()
    agent.wedge("agentd")
    pids = tuple(sorted(pid for pid, _ in agent.list_processes()))

    refused, _ = await stop(site, IMPATIENT)
    assert isinstance(refused, StillRunning)
    assert refused.pids == pids
    assert len(agent.list_processes()) == 3

    killing = Timing(verify_after_timeout=0.2, orphan_wait=5.0, kill_wait=5.0, poll_every=0.1, kill_allowed=True)
    outcome, _ = await stop(site, killing)
    assert isinstance(outcome, Stopped)
    assert agent.list_processes() == []


async def test_a_wedged_service_is_waited_for(site: Site, agent: StandInAgent) -> None:
    agent.start()
    agent.wedge("monagent")

    outcome, _ = await stop(site)

    assert isinstance(outcome, Stopped)
    assert agent.list_processes() == []


async def test_a_home_without_an_agent(site: Site) -> None:
    outcome, _ = await stop(site)

    assert outcome == NotInstalled(f"{site.target.agent_home}/bin/ocp_agentctl")


async def test_the_stubs_hosts_answer_a_stop_as_these_do(tmp_path: Path) -> None:
    behaviours = {1: Behaviour.HEALTHY, 2: Behaviour.ORPHANS, 3: Behaviour.STUBBORN, 4: Behaviour.STOPPED}
    stub = StubExecutor(behaviours=behaviours)
    outcomes = {}
    for host_id in behaviours:
        target = Target(host_id, "10.0.0.1", 22, "x", str(tmp_path), "ocp", sudo=False, host_key=None)
        outcomes[host_id], journal = await stop(Site(stub, target), IMPATIENT)
        assert sum(stub.count_commands(host_id).values()) == len(commands(journal))

    assert isinstance(outcomes[1], Stopped)
    assert sum(stub.count_commands(1).values()) == 1
    assert isinstance(outcomes[2], Stopped)
    assert len(outcomes[2].signalled) == 2
    assert isinstance(outcomes[3], StillRunning)
    assert outcomes[4] == AlreadyStopped()
