"""Errands from the client in an API to a stand-in agent and back: over a real store, through a real sshd."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from app.agents.errand_client import ErrandClient
from core.errand import Errand, ErrandKind
from core.errors import AgentStateInvalid, HostFailed, Unavailable
from core.host import Target
from core.lease import Lease, Leased
from demo.agents import StandInAgent
from demo.keys import make_key_pair
from demo.openssh import OpenSshServer
from infra.store import Store
from infra.store.host_values import HostEntry
from infra.store.values import StoreOptions
from tests.support.system import BRISK
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually
from tests.support.work import make_work
from workers.errands import run_errand
from workers.executor.ssh.executor import SshExecutor
from workers.executor.ssh.options import SshOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.agent import AgentInspection
    from core.record import TaskRecord
    from workers.context import WorkerContext


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StandInAgent]:
    agent = StandInAgent.install(tmp_path / "ocp_agent", pace=replace(BRISK, request_wait=5.0))
    agent.start()
    yield agent
    agent.destroy()


@dataclass
class Office:
    """An errand client whose errands a worker does, each as soon as it is sent."""

    store: Store
    work: WorkerContext
    agent: StandInAgent
    idle: bool = False
    runs: list[asyncio.Task[None]] = field(default_factory=list)

    def errand_client(self, timeout: float = 30.0) -> ErrandClient:
        return ErrandClient(self.store, self, 8, timeout)

    async def ask(self, kind: ErrandKind, process: str | None = None, timeout: float = 30.0) -> AgentInspection:
        return await self.errand_client(timeout).run(kind, 1, process, "0" * 16)

    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        raise NotImplementedError

    async def send(self, errand: Errand) -> None:
        if not self.idle:
            self.runs += [asyncio.create_task(run_errand(self.work, errand.id)) for _ in range(2)]  # a copy each

    async def ping(self) -> None:
        raise NotImplementedError

    async def count_waiting(self) -> int:
        raise NotImplementedError


@pytest.fixture
async def office(valkey: ValkeyServer, agent: StandInAgent, tmp_path: Path) -> AsyncIterator[Office]:
    store = Store.at(valkey.url(), StoreOptions())
    key = make_key_pair(tmp_path / "key")
    with OpenSshServer(tmp_path / "sshd", [key.line]) as sshd:
        target = Target(
            1, "127.0.0.1", sshd.port, sshd.user, str(agent.home), "ocp", sudo=False, host_key=sshd.host_key
        )
        await store.hosts.put([HostEntry(target, None)], 0)

        async def pin(_host_id: int, _key: str) -> None:
            raise NotImplementedError

        executor = SshExecutor(SshOptions(client_keys=(key.private,)), pin)
        office = Office(store, await make_work(store, executor), agent)
        yield office
        await asyncio.gather(*office.runs, return_exceptions=True)
        await executor.aclose()
    await store.aclose()


def commands(agent: StandInAgent) -> list[str]:
    return [command.verb for command in agent.read_commands() if command.edge == "start"]


async def test_a_look_tells_all_that_a_client_sees(office: Office) -> None:
    found = await office.ask(ErrandKind.LOOK)
    agent = office.agent
    assert (found.installed, found.version) == (True, "4.2.2-standin")
    assert [(one.name, one.pid) for one in found.processes] == [
        (name, agent.find_pid(name)) for name in ("agentd", "mgragent", "monagent")
    ]
    assert [one.ports for one in found.processes] == [(), (62888,), (62889,)]
    for one in found.processes:
        assert one.user
        assert one.command
        assert one.command.startswith(f"{agent.home}/bin/ocp_{one.name} ")
        assert 0 <= one.elapsed < 60
    assert commands(agent)[1:] == ["version", "status"], "once, although the message came twice"


async def test_a_process_is_stopped_and_started_again(office: Office) -> None:
    before = office.agent.find_pid("monagent")
    stopped = await office.ask(ErrandKind.STOP, "monagent")
    assert not stopped.processes[2].is_running
    assert [name for _, name in office.agent.list_processes()] == ["ocp_agentd", "ocp_mgragent"]
    started = await office.ask(ErrandKind.RESTART, "monagent")
    assert started.processes[2].pid == office.agent.find_pid("monagent") != before
    assert [verb for verb in commands(office.agent) if verb.startswith("service")] == ["service-stop", "service-start"]


@pytest.mark.parametrize("name", ["mgragent", "monagent"])
async def test_a_running_process_is_replaced_by_exactly_one(office: Office, name: str) -> None:
    before = {found: pid for pid, found in office.agent.list_processes()}
    found = await office.ask(ErrandKind.RESTART, name)
    after = {found: pid for pid, found in office.agent.list_processes()}
    assert len(office.agent.list_processes()) == 3
    assert {one for one in before if before[one] != after[one]} == {f"ocp_{name}"}
    assert {one.name: one.pid for one in found.processes} == {one.removeprefix("ocp_"): after[one] for one in after}


async def test_a_wedged_process_is_restarted_too(office: Office) -> None:
    before = office.agent.wedge("monagent")
    found = await office.ask(ErrandKind.RESTART, "monagent")
    assert found.processes[2].pid == office.agent.find_pid("monagent") != before


async def test_two_requests_never_work_on_one_host(office: Office) -> None:
    one = asyncio.create_task(office.ask(ErrandKind.RESTART, "monagent"))
    await eventually(lambda: "service-stop" in commands(office.agent), 10, "the first is at work")
    busy = "another request is working on host 1 to restart process monagent of its agent"
    with pytest.raises(AgentStateInvalid, match=busy):
        await office.ask(ErrandKind.STOP, "mgragent")
    assert (await office.ask(ErrandKind.LOOK)).installed, "a look disturbs nobody"
    await one
    assert not (await office.ask(ErrandKind.STOP, "mgragent")).processes[1].is_running


async def test_an_agent_that_does_not_run(office: Office) -> None:
    office.agent.control("stop")
    found = await office.ask(ErrandKind.LOOK)
    assert [one.is_running for one in found.processes] == [False] * 3
    assert found.version == "4.2.2-standin"
    with pytest.raises(AgentStateInvalid, match="No agentd"):
        await office.ask(ErrandKind.RESTART, "monagent")


async def test_an_agent_that_is_not_there(office: Office) -> None:
    office.agent.control("stop")
    office.agent.agentctl.unlink()
    found = await office.ask(ErrandKind.LOOK)
    assert (found.installed, found.version) == (False, None)


async def test_orphans_are_seen_without_agentd(office: Office) -> None:
    office.agent.kill("agentd")
    found = await office.ask(ErrandKind.LOOK)
    assert [one.is_running for one in found.processes] == [False, True, True]
    assert [one.ports for one in found.processes] == [None, None, None]


async def test_a_wedged_agentd_is_seen_all_the_same_and_changes_are_given_up_in_time(office: Office) -> None:
    office.agent.wedge("agentd")
    found = await office.ask(ErrandKind.LOOK)
    assert [one.is_running for one in found.processes] == [True] * 3
    with pytest.raises(HostFailed, match="Timed out: "):
        await office.ask(ErrandKind.STOP, "monagent", 6.0)
    os.kill(office.agent.find_pid("agentd"), 9)
    assert await office.store.hosts.lease((1,), Lease("mine", "to test", 1000)) == Leased()
    await office.store.hosts.release((1,), "mine")


async def test_nobody_at_work(office: Office) -> None:
    office.idle = True
    with pytest.raises(Unavailable, match="No worker took the request"):
        await office.ask(ErrandKind.STOP, "monagent", 2.0)
    assert len(office.agent.list_processes()) == 3
    office.idle = False
    assert not (await office.ask(ErrandKind.STOP, "monagent")).processes[2].is_running, "no lease was left"
