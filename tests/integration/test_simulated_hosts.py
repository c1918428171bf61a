"""Simulated hosts as an SSH client sees them, and their process as its parent sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncssh
import pytest
import yaml

from demo import processes
from demo.agents import Pace, StandInAgent
from demo.hosts import SimulatedFleet, SimulatedHost
from demo.keys import make_key_pair
from tests.support.waiting import eventually, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from demo.keys import KeyPair

QUICK = Pace(monagent_linger=0.2, poll=0.1)


@pytest.fixture
def client_key(tmp_path: Path) -> KeyPair:
    return make_key_pair(tmp_path / "client")


@pytest.fixture
async def fleet(tmp_path: Path, client_key: KeyPair) -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(tmp_path / "hosts", 2, client_key.line, pace=QUICK) as fleet:
        yield fleet


async def connect(
    host: SimulatedHost, key: KeyPair, *, user: str = "admin", pinned: str | None = None
) -> asyncssh.SSHClientConnection:
    trusted = asyncssh.import_public_key(pinned or host.sshd.host_key)
    return await asyncssh.connect(
        host.sshd.address,
        host.sshd.port,
        username=user,
        client_keys=[str(key.private)],
        known_hosts=([trusted], [], []),
        config=None,
        agent_path=None,
    )


async def test_each_host_has_an_address_a_key_and_a_running_agent_of_its_own(fleet: SimulatedFleet) -> None:
    first, second = fleet.hosts

    assert first.sshd.address != second.sshd.address
    assert first.sshd.host_key != second.sshd.host_key
    for host in fleet.hosts:
        assert [name for _, name in host.agent.list_processes()] == ["ocp_agentd", "ocp_mgragent", "ocp_monagent"]


async def test_stop_over_ssh_stops_that_hosts_agent_and_no_other(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    first, second = fleet.hosts
    async with await connect(first, client_key) as connection:
        answer = await connection.run(f"{first.agent.agentctl} stop")

    assert (answer.exit_status, answer.stderr) == (0, "")
    assert json.loads(str(answer.stdout)) == {"successful": True, "message": "ok", "error": ""}
    assert first.agent.list_processes() == []
    assert len(second.agent.list_processes()) == 3


async def test_an_error_comes_on_stderr_with_its_exit_status(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    host = fleet.hosts[0]
    async with await connect(host, client_key) as connection:
        await connection.run(f"{host.agent.agentctl} stop")
        answer = await connection.run(f"{host.agent.agentctl} status")

    assert (answer.exit_status, answer.stdout) == (255, "")
    assert "code=read_pid_failed" in json.loads(str(answer.stderr))["error"]


async def test_a_command_gets_its_input_its_home_and_its_directory(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    host = fleet.hosts[0]
    async with await connect(host, client_key) as connection:
        answer = await connection.run('cat; echo "$USER"; pwd; echo "$HOME"; exit 5', input="typed\n")

    directory = host.sshd.directory
    assert str(answer.stdout).splitlines() == ["typed", "admin", str(directory), str(directory / "home" / "admin")]
    assert answer.exit_status == 5


async def test_a_missing_program_and_a_killed_command_are_told_as_sshd_does(
    fleet: SimulatedFleet, client_key: KeyPair
) -> None:
    async with await connect(fleet.hosts[0], client_key) as connection:
        missing = await connection.run("/nowhere/ocp_agentctl stop")
        killed = await connection.run("kill -KILL $$")

    assert missing.exit_status == 127
    assert killed.exit_signal is not None
    assert killed.exit_signal[0] == "KILL"


async def test_a_command_goes_on_when_its_client_is_gone(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    host = fleet.hosts[0]
    connection = await connect(host, client_key)
    await connection.create_process(f"{host.agent.agentctl} stop")
    await eventually(lambda: edges(host) == ["start"], 5, "the control program has begun")
    connection.abort()
    await eventually(lambda: edges(host) == ["start", "end"], 10, "the control program has ended")

    assert host.agent.list_processes() == []


async def test_a_host_key_other_than_the_pinned_one_is_not_trusted(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    first, second = fleet.hosts

    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await connect(first, client_key, pinned=second.sshd.host_key)


async def test_strangers_are_not_let_in(fleet: SimulatedFleet, client_key: KeyPair, tmp_path: Path) -> None:
    host = fleet.hosts[0]

    with pytest.raises(asyncssh.PermissionDenied):
        await connect(host, make_key_pair(tmp_path / "stranger"))
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(host, client_key, user="somebody")


async def test_there_is_no_shell_to_stay_in(fleet: SimulatedFleet, client_key: KeyPair) -> None:
    async with await connect(fleet.hosts[0], client_key) as connection:
        answer = await connection.run()

    assert (answer.exit_status, answer.stderr) == (1, "This host runs single commands only.\n")


async def test_nothing_is_left_when_the_fleet_closes(tmp_path: Path, client_key: KeyPair) -> None:
    async with SimulatedFleet(tmp_path / "hosts", 1, client_key.line, pace=QUICK) as fleet:
        host = fleet.hosts[0]
        connection = await connect(host, client_key)
        running = await connection.create_process("echo $$; exec sleep 60")
        pid = int(str(await running.stdout.readline()))
        assert processes.look(pid) is not None

    assert processes.look(pid) is None
    assert host.agent.list_processes() == []
    await connection.wait_closed()


async def test_an_earlier_runs_agents_are_cleared_away(tmp_path: Path, client_key: KeyPair) -> None:
    root = tmp_path / "hosts"
    left = StandInAgent.install(root / "host-7" / "home" / "admin" / "ocp_agent", pace=QUICK)
    await asyncio.to_thread(left.start)
    async with SimulatedFleet(root, 1, client_key.line, pace=QUICK, start_agents=False) as fleet:
        assert left.list_processes() == []
        assert fleet.hosts[0].agent.list_processes() == []

    assert not (root / "host-7").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_writes_an_inventory_and_leaves_nothing_when_told_to_stop(
    tmp_path: Path, client_key: KeyPair, number: signal.Signals
) -> None:
    with running_hosts(tmp_path, client_key) as hosts:
        assert hosts.stdout is not None
        assert hosts.stdout.readline() == "ready\n"
        inventory = yaml.safe_load((tmp_path / "inventory.yaml").read_text())
        agents = [StandInAgent.at(entry["agentHome"], entry["agentPrefix"]) for entry in inventory]
        assert [len(agent.list_processes()) for agent in agents] == [3, 3]
        hosts.send_signal(number)
        code = hosts.wait(30)

    assert code == 0
    assert [agent.list_processes() for agent in agents] == [[], []]
    assert [entry["id"] for entry in inventory] == [1001, 1002]
    assert [entry["alias"] for entry in inventory] == ["demo-1", "demo-2"]
    assert {entry["sshUser"] for entry in inventory} == {"admin"}
    assert all(entry["hostKey"].startswith("ssh-ed25519 AAAA") for entry in inventory)


def test_the_process_stops_in_the_middle_of_starting(tmp_path: Path, client_key: KeyPair) -> None:
    homes = tmp_path / "hosts" / "host-1" / "home" / "admin" / "ocp_agent"
    with running_hosts(tmp_path, client_key) as hosts:
        wait_until((homes / "run" / "admin.lock").exists, 20, "an agent is being started")
        hosts.terminate()
        code = hosts.wait(30)

    assert code == 0
    assert not (tmp_path / "inventory.yaml").exists()
    assert StandInAgent.at(homes).list_processes() == []


def test_the_process_ends_with_its_parent(tmp_path: Path, client_key: KeyPair) -> None:
    command = [*hosts_command(tmp_path, client_key), "--die-with-parent"]
    parent = subprocess.Popen(
        ["sh", "-c", '"$@" & echo $!; wait', "sh", *command],  # noqa: S607  # any shell will do
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
    wait_until(lambda: processes.look(child) is None, 30, "the hosts' process has ended")

    assert StandInAgent.at(tmp_path / "hosts" / "host-1" / "home" / "admin" / "ocp_agent").list_processes() == []


def edges(host: SimulatedHost) -> list[str]:
    return [command.edge for command in host.agent.read_commands() if command.verb == "stop"]


def hosts_command(tmp_path: Path, key: KeyPair) -> list[str]:
    options = {"--root": tmp_path / "hosts", "--authorized-key": key.public, "--inventory": tmp_path / "inventory.yaml"}
    command = [sys.executable, "-m", "demo.hosts", "--count", "2"]
    for name, value in options.items():
        command += [name, str(value)]
    return command


@contextmanager
def running_hosts(tmp_path: Path, key: KeyPair) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(hosts_command(tmp_path, key), stdout=subprocess.PIPE, text=True) as hosts:
        try:
            yield hosts
        finally:
            hosts.terminate()
