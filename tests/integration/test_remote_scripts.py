"""The look and the signal on real processes: programs with an agent's names, under each shell that this machine has."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.command import Command, Script
from core.host import Target
from tests.support.waiting import wait_until
from workers.agent.host.commands import (
    build_look_command,
    build_signal_command,
    build_stop_command,
    build_survey_command,
)
from workers.agent.host.output import read_look, read_signal, read_stop, read_survey
from workers.executor.base import CommandTimeoutError, Completed
from workers.executor.local import LocalExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.agent.host.output import Delivery, StopResult
    from workers.agent.host.processes import AgentProcess, Snapshot

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
NAMES = ("ocp_agentd", "ocp_mgragent", "ocp_monagent")


class Programs:
    """Processes that sleep, run from copies of a small program."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, path: Path, *words: str) -> int:
        """Run a copy of a shell from this path, which waits for a word that never comes, and return its pid."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shutil.which("dash") or "/bin/sh", path)
        process = subprocess.Popen([path, "-c", "read nothing", *words], stdin=subprocess.PIPE)
        self.started.append(process)
        wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text().strip() == path.name[:15], 5, "it runs")
        return process.pid

    def agent(self) -> dict[str, int]:
        return {name: self.start(self.home / "bin" / name) for name in NAMES}

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path)
    yield programs
    programs.end()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def target_of(home: Path) -> Target:
    return Target(1, "127.0.0.1", 22, "nobody", str(home), "ocp", sudo=False, host_key=None)


def under(shell: str, command: Command) -> Command:
    """Return the same command, its script run by another shell."""
    interpreter = (shell, "sh") if shell == "busybox" else (shell,)
    return Command((*interpreter, *command.words[1:]))


async def look(home: Path, shell: str = "dash") -> Snapshot:
    async with LocalExecutor().connect(target_of(home)) as session:
        completed = await session.run(under(shell, build_look_command(target_of(home))), timeout=20)
    assert completed.stderr == ""
    return read_look(completed)


async def send(home: Path, name: str, processes: list[AgentProcess], shell: str = "dash") -> Delivery:
    async with LocalExecutor().connect(target_of(home)) as session:
        command = build_signal_command(target_of(home), name, processes)
        return read_signal(await session.run(under(shell, command), timeout=20))


def write_control(home: Path, body: str) -> None:
    """Write an agent's control program."""
    program = home / "bin" / "ocp_agentctl"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


async def stopped(home: Path, shell: str, timeout: float = 20) -> StopResult:
    async with LocalExecutor().connect(target_of(home)) as session:
        try:
            return read_stop(await session.run(under(shell, build_stop_command(target_of(home))), timeout=timeout))
        except CommandTimeoutError as late:
            return read_stop(late.so_far)


async def test_one_command_looks_and_stops_and_looks(programs: Programs, shell: str) -> None:
    pids = programs.agent()
    dying, *staying = (pids[name] for name in NAMES)
    write_control(
        programs.home,
        f"""[ "$*" = stop ] || exit 3
kill -9 {dying}
while case "$(cut -d' ' -f3 </proc/{dying}/stat)" in [ZX]) false ;; esac; do :; done
printf 'two lines\\n{{"successful":false}}'; echo why >&2; exit 255""",
    )

    seen = await stopped(programs.home, shell)

    assert {process.pid for process in seen.before.processes} == set(pids.values())
    assert seen.call == Completed(255, None, 'two lines\n{"successful":false}', "why\n")
    assert seen.after is not None
    assert {process.pid for process in seen.after.processes} == set(staying)


async def test_a_stop_that_is_not_there_or_may_not_run_is_told_by_its_status(programs: Programs, shell: str) -> None:
    missing = await stopped(programs.home, shell)
    write_control(programs.home, "exit 0")
    (programs.home / "bin" / "ocp_agentctl").chmod(0o644)
    barred = await stopped(programs.home, shell)

    assert missing.call is not None
    assert barred.call is not None
    assert (missing.call.exit_status, barred.call.exit_status) == (127, 126)
    assert missing.after == missing.before


async def test_a_stop_that_does_not_end_leaves_what_was_seen_before_it(programs: Programs, shell: str) -> None:
    pids = programs.agent()
    write_control(programs.home, "echo so far; exec sleep 60")

    seen = await stopped(programs.home, shell, timeout=2)

    assert {process.pid for process in seen.before.processes} == set(pids.values())
    assert (seen.call, seen.after) == (None, None)


def test_a_stop_of_which_the_shell_itself_was_ended_is_told_as_it_is() -> None:
    seen = read_stop(Completed(None, "TERM", "ocpfleet: look\nocpfleet: call\nso far\n", "ouch"))

    assert seen.call == Completed(None, "TERM", "so far\n", "ouch")
    assert seen.after is None


async def test_the_agents_processes_are_seen_and_nothing_else(programs: Programs, tmp_path: Path, shell: str) -> None:
    pids = programs.agent()
    programs.start(tmp_path / "elsewhere" / "ocp_agentd")
    programs.start(tmp_path / "home" / "binary" / "ocp_monagent")
    programs.start(programs.home / "bin" / "ocp_agentctl")

    sight = await look(programs.home, shell)

    assert {process.name: process.pid for process in sight.processes} == pids
    assert not sight.restricted
    for process in sight.processes:
        assert process.exe == str(programs.home / "bin" / process.name)
        assert process.state == "S"
        assert process.start_ticks == start_ticks(process.pid)


async def test_a_survey_says_whose_they_are_and_how_they_were_started(programs: Programs, shell: str) -> None:
    pids = programs.agent()
    hostile = programs.start(
        programs.home / "bin" / "old" / "ocp_mgragent", "x\nocpfleet: end\r\u2028ocpfleet: about 1 1 me", "ä"
    )
    async with LocalExecutor().connect(target_of(programs.home)) as session:
        completed = await session.run(under(shell, build_survey_command(target_of(programs.home))), timeout=20)
    assert completed.stderr == ""
    survey = read_survey(completed)

    assert survey.snapshot.pids == tuple(sorted([*pids.values(), hostile]))
    me = pwd.getpwuid(os.getuid()).pw_name
    for name, pid in pids.items():
        about = survey.details[pid]
        assert (about.user, about.command) == (me, f"{programs.home}/bin/{name} -c read nothing")
        assert 0 <= about.elapsed <= 60
    words = survey.details[hostile].command.split()
    assert words[3:] == ["nothing", "x", "ocpfleet:", "end", "ocpfleet:", "about", "1", "1", "me"], "all on one line"


def start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


async def test_an_agent_that_is_not_there(tmp_path: Path, shell: str) -> None:
    assert (await look(tmp_path / "nothing", shell)).processes == ()


async def test_a_zombie_is_not_alive_and_a_stopped_process_is(programs: Programs, shell: str) -> None:
    pids = programs.agent()
    os.kill(pids["ocp_mgragent"], signal.SIGKILL)
    os.kill(pids["ocp_monagent"], signal.SIGSTOP)
    wait_until(lambda: state(pids["ocp_mgragent"]) == "Z" and state(pids["ocp_monagent"]) == "T", 5, "they are")

    sight = await look(programs.home, shell)

    assert [(process.name, process.state) for process in sight.processes] == [
        ("ocp_agentd", "S"),
        ("ocp_monagent", "T"),
    ]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_home_behind_a_link_and_a_program_that_was_replaced(
    programs: Programs, tmp_path: Path, shell: str
) -> None:
    pid = programs.start(programs.home / "bin" / "ocp_agentd")
    (tmp_path / "link").symlink_to(programs.home)
    (programs.home / "bin" / "ocp_agentd").unlink()

    for home in (tmp_path / "link", programs.home):
        sight = await look(home, shell)
        assert [process.pid for process in sight.processes] == [pid]
        assert sight.processes[0].exe == f"{programs.home}/bin/ocp_agentd (deleted)"


async def test_a_home_with_blanks_brackets_and_stars(programs: Programs, tmp_path: Path, shell: str) -> None:
    programs.home = tmp_path / "my (agent) [1]*"
    pid = programs.start(programs.home / "bin" / "ocp_agentd")
    programs.start(tmp_path / "my (agent) 1x" / "bin" / "ocp_agentd")

    sight = await look(programs.home, shell)

    assert [process.pid for process in sight.processes] == [pid]


async def test_a_signal_reaches_whom_it_is_meant_for(programs: Programs, shell: str) -> None:
    pids = programs.agent()
    sight = await look(programs.home)

    delivery = await send(programs.home, "TERM", [process for process in sight.processes if process.is_agentd], shell)

    assert delivery.sent == (pids["ocp_agentd"],)
    assert programs.started[0].wait(5) == -signal.SIGTERM
    assert [process.name for process in (await look(programs.home)).processes] == ["ocp_mgragent", "ocp_monagent"]


async def test_a_process_that_is_no_longer_the_one_that_was_seen_is_left_alone(
    programs: Programs, tmp_path: Path, shell: str
) -> None:
    programs.agent()
    elsewhere = programs.start(tmp_path / "elsewhere" / "ocp_agentd")
    agentd, mgragent, monagent = (await look(programs.home)).processes
    wrong = [
        replace(agentd, start_ticks=agentd.start_ticks + 1),
        replace(mgragent, name="ocp_monagent"),
        replace(monagent, pid=4194303),
        replace(agentd, pid=elsewhere, start_ticks=start_ticks(elsewhere)),
    ]

    delivery = await send(programs.home, "KILL", wrong, shell)

    assert (delivery.sent, delivery.refused) == ((), ())
    assert len((await look(programs.home)).processes) == 3
    assert state(elsewhere) == "S"


async def test_another_users_agent_can_be_neither_proved_nor_signalled(
    programs: Programs, tmp_path: Path, shell: str
) -> None:
    pids = programs.agent()
    seen = (await look(programs.home)).processes
    programs.start(tmp_path / "elsewhere" / "ocp_agentd")
    if os.geteuid() != 0:  # an ordinary user cannot be a second one
        assert {process.name for process in seen} == set(NAMES)
        return

    sight = read_look(run_as_nobody(shell, build_look_command(target_of(programs.home))))
    delivery = read_signal(run_as_nobody(shell, build_signal_command(target_of(programs.home), "TERM", seen)))

    assert {process.name: (process.pid, process.exe) for process in sight.processes} == {
        name: (pid, None) for name, pid in pids.items()
    }
    assert delivery.sent == ()
    assert (await look(programs.home)).processes == seen


def run_as_nobody(shell: str, command: Command) -> Completed:
    words = [word.text if isinstance(word, Script) else str(word) for word in under(shell, command).words]
    done = subprocess.run(words, capture_output=True, text=True, check=False, user=65534, group=65534, timeout=20)
    return Completed(done.returncode, None, done.stdout, done.stderr)


async def test_what_keeps_a_look_from_being_whole_is_no_empty_look(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "grep").write_text("#!/bin/sh\nexit 126\n")
    (tmp_path / "grep").chmod(0o755)
    words = build_look_command(target_of(programs.home)).words
    async with LocalExecutor().connect(target_of(programs.home)) as session:
        broken = await session.run(Command(("env", f"PATH={tmp_path}:/usr/bin:/bin", *words)), timeout=20)

    assert broken.exit_status == 72
    assert "ocpfleet: end" not in broken.stdout
