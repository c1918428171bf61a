"""A night with the command line: hosts by pattern, one fails, a person looks, decides, interrupts and cancels."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.store.host_values import HostEntry
from tests.support.system import BRISK, STOP, of_step, real_hosts, running
from tests.support.terminal import CTRL_C, terminal
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from tests.support.system import RealHosts, System

PATIENT = replace(BRISK, exit_polls=900)
"""A wedged agent is still being stopped when a person has typed something, on however busy a machine."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system", OCPFLEET_COMMAND_TIMEOUT="120") as system:
        yield system


@pytest.fixture
async def hosts(tmp_path: Path, system: System) -> AsyncIterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, 3, pace=PATIENT) as hosts:
        async with system.store() as store:
            await store.hosts.put([HostEntry(target, f"web-{target.host_id}") for target in hosts.targets.values()], 0)
        yield hosts


def _ocpfleet(
    system: System, *words: str, code: int = 0, environment: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """Run a command without a terminal; return what it wrote to both outputs."""
    done = subprocess.run(
        [system.program, *words],
        env=environment or system.client_environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def test_a_host_fails_and_is_retried(system: System, hosts: RealHosts) -> None:
    program = hosts.agents[2].agentctl
    program.rename(program.with_suffix(".away"))

    plan = json.loads(_ocpfleet(system, "stop", "web-[1-3]", "--dry-run", "--json")[0])
    assert [host["commands"] for host in plan] == [[f"{hosts.agents[number].agentctl} stop"] for number in (1, 2, 3)]
    out, _ = _ocpfleet(system, "stop", "web-[1-3]", "--follow", code=1)
    assert "FAILED: web-2 (2)\n" in out
    assert f"Not installed: {program} is missing" in out

    out, _ = _ocpfleet(system, "task", "show", "1")
    assert "Stop all OCP agent processes  2/3 done, 1 failed" in out
    assert "ocpfleet task skip 1 --host web-2" in out
    assert [host["holderTaskId"] for host in json.loads(_ocpfleet(system, "hosts", "list", "--json")[0])] == [1, 1, 1]

    program.with_suffix(".away").rename(program)
    out, err = _ocpfleet(system, "task", "retry", "1", "--host", "web-2", "--follow")
    assert err.endswith("Stop all OCP agent processes on web-2 (2): runs again\n")
    assert "Task 1  Batch stop OCP agent: SUCCESSFUL" in out
    assert not any(agent.list_processes() for agent in hosts.agents.values())
    log, _ = _ocpfleet(system, "task", "log", "1", "--host", "web-2")
    assert "############RETRY" in log
    assert "Not installed: " in log
    assert "Stopped: " in log

    lines = [json.loads(line) for line in _ocpfleet(system, "restart", "web-1", "-f", "--json")[0].splitlines()]
    assert (lines[0]["event"], lines[0]["id"], lines[-1]["event"], lines[-1]["status"]) == (
        "accepted",
        2,
        "end",
        "SUCCESSFUL",
    )


def test_ctrl_c_leaves_or_cancels(system: System, hosts: RealHosts) -> None:
    hosts.agents[2].wedge("ocp_agentd")
    stop = [system.program, "stop", "web-[1-3]", "--follow"]
    with terminal(stop, system.client_environment) as shown:
        shown.expect(r"3 hosts: web-\[1-3\]\nStop their agents\? \[y/N\]: ")
        shown.type("y\n")
        shown.expect(r"Stop all OCP agent processes [━╺╸ ]+2/3 \S+ 1 running")
        shown.type(CTRL_C)
        shown.expect(r"Task 1: \[l\]eave it running, \[c\]ancel it, or \[f\]ollow on\? \[l\]: ")
        shown.type("\n")
        assert shown.ended() == 5
        assert "Task 1 goes on. Watch it again: ocpfleet task follow 1" in shown.text
        assert "Traceback" not in shown.text
    assert system.task(1)["status"] == "RUNNING"

    with terminal([system.program, "task", "follow", "1"], system.client_environment) as shown:
        shown.expect("1 running")
        shown.type(CTRL_C)
        shown.expect("ollow on")
        shown.type("c\n")
        assert shown.ended() == 1
        assert "web-2 (2) failed" in shown.text
        assert "Cancelled: the work on this host was abandoned." in shown.text
    cancelled = of_step(system.task(1), STOP)[1]
    assert (cancelled["status"], cancelled["operation"]) == ("FAILED", "CANCEL")

    hosts.agents[2].unwedge("ocp_agentd")
    out, _ = _ocpfleet(system, "task", "rollback", "1", "-f")
    assert "Stop all OCP agent processes: 3/3 undone" in out
    assert "Task 1  Batch stop OCP agent: SUCCESSFUL, ROLLBACK" in out
    assert [len(agent.list_processes()) for agent in hosts.agents.values()] == [3, 3, 3]
    assert [host["holderTaskId"] for host in json.loads(_ocpfleet(system, "hosts", "list", "--json")[0])] == [None] * 3


def test_an_interrupt_without_a_terminal_leaves_the_task(system: System, hosts: RealHosts, tmp_path: Path) -> None:
    hosts.agents[2].wedge("ocp_agentd")
    output = tmp_path / "output"
    command = [system.program, "stop", "2", "--follow"]
    with (
        output.open("wb") as out,
        subprocess.Popen(
            command, env=system.client_environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        ) as process,
    ):
        wait_until(lambda: "1 running" in output.read_text(), 30, "the stop to be on its way")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 5
    assert output.read_text().endswith("Task 1 goes on. Watch it again: ocpfleet task follow 1\n")
    assert system.task(1)["status"] == "RUNNING"
    _ocpfleet(system, "task", "cancel", "1", "--host", "web-2", "-f", code=1)
    hosts.agents[2].unwedge("ocp_agentd")


def test_an_access_key_a_client_file_and_a_lost_password(system: System, tmp_path: Path) -> None:
    made = json.loads(_ocpfleet(system, "key", "add", "admin", "--json")[0])
    file = tmp_path / "client.toml"
    file.touch(0o600)
    lines = {"api": system.api, "access_key": made["accessKey"], "secret_key": made["secretKey"]}
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items()))
    signed = system.environment | {"OCPFLEET_CLIENT_FILE": str(file)}
    assert json.loads(_ocpfleet(system, "hosts", "list", "--json", environment=signed)[0]) == []
    _ocpfleet(system, "user", "add", "night", "--role", "TASK_VIEWER", environment=signed)

    file.chmod(0o644)
    assert "others may read it" in _ocpfleet(system, "hosts", "list", code=2, environment=signed)[1]
    nobody = system.environment | {"OCPFLEET_API_URL": system.api}
    assert "No user and no access key is given." in _ocpfleet(system, "hosts", "list", code=4, environment=nobody)[1]

    shown, _ = _ocpfleet(system, "user", "password", "night", "--direct", environment=nobody)
    password = shown.rpartition(": ")[2].strip()
    night = nobody | {"OCPFLEET_API_USER": "night", "OCPFLEET_API_PASSWORD": password}
    assert json.loads(_ocpfleet(system, "task", "list", "--json", environment=night)[0])["contents"] == []
    assert _ocpfleet(system, "stop", "1", code=4, environment=night)[1].startswith("User night has no permission")
    logs = "".join(path.read_text() for path in (system.directory / "logs").iterdir())
    assert made["secretKey"] not in logs
    assert password not in logs
