"""The stand-in agent against what was measured on real ones: answers, exit codes, whole seconds, and what is left."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from demo import processes
from demo.agents import Pace, StandInAgent, StandInError
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Pace(monagent_linger=0.2, final_wait=0.5, query_wait=0.3, notice=0.1, request_wait=0.3, poll=0.1)
ALL = ["ocp_agentd", "ocp_mgragent", "ocp_monagent"]
OK = {"successful": True, "message": "ok", "error": ""}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StandInAgent]:
    agent = StandInAgent.install(tmp_path / "agent", pace=QUICK)
    yield agent
    agent.destroy()


@pytest.fixture
def running(agent: StandInAgent) -> StandInAgent:
    agent.start()
    return agent


@dataclass(frozen=True)
class Answer:
    code: int
    document: dict[str, Any]
    seconds: float

    @property
    def error(self) -> str:
        return str(self.document["error"])


def ask(agent: StandInAgent, *args: str) -> Answer:
    """Call the control program and check the shape that every answer has."""
    began = time.monotonic()
    answer = agent.control(*args)
    seconds = time.monotonic() - began
    spoken, silent = (answer.stderr, answer.stdout) if answer.returncode else (answer.stdout, answer.stderr)
    assert silent == ""
    assert not spoken.endswith("\n")
    document = json.loads(spoken)
    assert list(document) == ["successful", "message", "error"]
    assert document["successful"] is (answer.returncode == 0)
    return Answer(answer.returncode, document, seconds)


def names(agent: StandInAgent) -> list[str]:
    return sorted(name for _, name in agent.list_processes())


def files(agent: StandInAgent) -> list[str]:
    return sorted(path.name for path in (agent.home / "run").iterdir())


def wait_for(agent: StandInAgent, expected: list[str]) -> None:
    wait_until(lambda: names(agent) == expected, 10, f"exactly {expected} of the agent run")


class TestStart:
    def test_three_processes_in_three_sessions_with_names_and_executables(self, running: StandInAgent) -> None:
        pids = {name: pid for pid, name in running.list_processes()}

        assert sorted(pids) == ALL
        assert len({os.getsid(pid) for pid in pids.values()}) == 3
        for name, pid in pids.items():
            process = processes.look(pid)
            assert process is not None
            assert process.exe == running.home / "bin" / name
            if name != "ocp_agentd":
                assert process.parent == pids["ocp_agentd"]

    def test_a_second_start_is_ok_and_changes_nothing(self, running: StandInAgent) -> None:
        before = running.list_processes()

        assert ask(running, "start").document == OK
        assert running.list_processes() == before

    def test_orphans_are_told_to_leave_but_block_the_new_services(self, running: StandInAgent) -> None:
        running.kill("agentd")
        blocked = ask(running, "start")

        assert (blocked.code, "code=wait_for_ready_timeout" in blocked.error) == (255, True)
        wait_for(running, ["ocp_agentd"])
        assert ask(running, "stop").document == OK
        assert ask(running, "start").document == OK
        assert names(running) == ALL

    def test_a_pid_file_that_names_a_foreign_process_makes_agentd_exit_quickly(self, agent: StandInAgent) -> None:
        (agent.home / "run" / "ocp_agentd.pid").write_text(str(os.getpid()))

        answer = ask(agent, "start")

        assert (answer.code, "code=agentd_exited_quickly" in answer.error) == (255, True)

    def test_another_prefix_names_everything(self, tmp_path: Path) -> None:
        agent = StandInAgent.install(tmp_path / "agent", prefix="ob", pace=QUICK)
        try:
            agent.start()
            assert names(agent) == ["ob_agentd", "ob_mgragent", "ob_monagent"]
        finally:
            agent.destroy()

    @pytest.mark.parametrize("prefix", ["", "toolong", "OCP", "o/p"])
    def test_a_prefix_that_makes_no_process_name_is_refused(self, tmp_path: Path, prefix: str) -> None:
        with pytest.raises(StandInError, match="is not a valid prefix"):
            StandInAgent.install(tmp_path / "agent", prefix=prefix)


class TestStop:
    def test_everything_is_gone_and_run_is_empty(self, running: StandInAgent) -> None:
        assert ask(running, "stop").document == OK
        assert names(running) == []
        assert files(running) == []

    def test_stopped_already_is_ok_without_any_wait(self, tmp_path: Path) -> None:
        slow = replace(QUICK, final_wait=60.0, query_wait=60.0, request_wait=60.0, poll=60.0)
        answer = ask(StandInAgent.install(tmp_path / "agent", pace=slow), "stop")

        assert answer.document == OK
        assert answer.seconds < 60

    def test_without_agentd_the_ok_is_false(self, running: StandInAgent) -> None:
        running.kill("agentd")

        answer = ask(running, "stop")

        assert answer.document == OK
        assert names(running) == ["ocp_mgragent", "ocp_monagent"]
        assert "ocp_agentd.pid" in files(running)

    def test_older_orphans_outlive_a_stop_that_is_ok(self, running: StandInAgent) -> None:
        running.wedge("mgragent")
        running.kill("agentd")
        ask(running, "start")

        assert ask(running, "stop").document == OK
        assert "ocp_mgragent" in names(running)

    @pytest.mark.parametrize("pid", ["999999999", str(os.getpid())], ids=["no process", "another process"])
    def test_a_stale_pid_file_is_ok_and_stays(self, agent: StandInAgent, pid: str) -> None:
        (agent.home / "run" / "ocp_agentd.pid").write_text(pid)

        assert ask(agent, "stop").document == OK
        assert files(agent) == ["ocp_agentd.pid"]

    @pytest.mark.parametrize("content", ["", "abc"])
    def test_a_bad_pid_file_is_an_error_for_ever(self, running: StandInAgent, content: str) -> None:
        (running.home / "run" / "ocp_agentd.pid").write_text(content)

        for _ in range(2):
            answer = ask(running, "stop")
            assert answer.code == 255
            assert f'strconv.Atoi: parsing "{content}": invalid syntax' in answer.error
            assert answer.error.startswith("Module=agent, kind=INTERNAL, code=read_pid_failed; ")
        assert names(running) == ALL

    def test_a_wedged_agentd_times_out_each_time_and_stops_when_continued(self, running: StandInAgent) -> None:
        running.wedge("agentd")
        for _ in range(2):
            answer = ask(running, "stop")
            assert (answer.code, answer.error) == (
                255,
                "Module=agent, kind=DEADLINE_EXCEEDED, code=wait_for_exit_timeout; ",
            )
        assert names(running) == ALL
        running.unwedge("agentd")

        wait_for(running, [])

    def test_two_wedged_services_time_out_and_go_a_moment_later(self, running: StandInAgent) -> None:
        running.wedge("mgragent")
        running.wedge("monagent")

        answer = ask(running, "stop")

        assert (answer.code, "code=wait_for_exit_timeout" in answer.error) == (255, True)
        wait_for(running, [])

    def test_a_missing_configuration_stops_nothing(self, running: StandInAgent) -> None:
        (running.home / "conf" / "agentctl.yaml").unlink()

        answer = ask(running, "stop")

        assert answer.code == 255
        assert answer.error == f"open {running.home}/conf/agentctl.yaml: no such file or directory"
        assert names(running) == ALL

    def test_it_works_from_its_own_folder_but_not_through_a_link(self, running: StandInAgent, tmp_path: Path) -> None:
        link = tmp_path / "elsewhere" / "bin" / "ocp_agentctl"
        link.parent.mkdir(parents=True)
        link.symlink_to(running.agentctl)
        linked = subprocess.run([link, "stop"], capture_output=True, check=False)
        direct = subprocess.run(["./ocp_agentctl", "stop"], cwd=running.home / "bin", capture_output=True, check=False)

        assert (linked.returncode, b"no such file" in linked.stderr) == (255, True)
        assert (direct.returncode, names(running)) == (0, [])


class TestLock:
    def test_a_second_stop_is_refused_while_one_runs(self, running: StandInAgent) -> None:
        running.wedge("agentd")
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, running, "stop")
            wait_until((running.home / "run" / "admin.lock").exists, 5, "the first stop has the lock")
            second = ask(running, "stop")
            lock = json.loads((running.home / "run" / "admin.lock").read_text())
            assert not first.done(), "the second is refused before the first has ended"
            running.unwedge("agentd")
            assert first.result().document == OK

        assert lock == {"pid": running.read_commands()[2].pid, "exe": str(running.agentctl)}
        assert second.code == 255
        path = running.home / "run" / "admin.lock"
        assert second.error == (
            f"Module=agent, kind=INTERNAL, code=fetch_admin_lock_failed; [{path}]\ncause:\nopen {path}: file exists"
        )

    def test_a_killed_control_programs_lock_is_cleaned(self, running: StandInAgent) -> None:
        running.wedge("agentd")
        with subprocess.Popen([running.agentctl, "stop"], stdout=subprocess.DEVNULL) as killed:
            wait_until((running.home / "run" / "admin.lock").exists, 5, "the stop has the lock")
            killed.kill()
        running.unwedge("agentd")

        assert ask(running, "stop").document == OK
        assert files(running) == []

    @pytest.mark.parametrize("content", ["", "rubbish"])
    def test_a_garbage_lock_fails_once(self, agent: StandInAgent, content: str) -> None:
        (agent.home / "run" / "admin.lock").write_text(content)

        answer = ask(agent, "stop")

        assert (answer.code, "code=clean_dangling_admin_lock_failed" in answer.error) == (255, True)
        assert ask(agent, "stop").document == OK

    def test_a_missing_run_folder_is_no_such_file(self, agent: StandInAgent) -> None:
        (agent.home / "run").rmdir()

        answer = ask(agent, "stop")

        assert (answer.code, answer.error.endswith("admin.lock: no such file or directory")) == (255, True)


class TestRestart:
    def test_running_it_has_new_processes_and_leaves_the_old_pid_file(self, running: StandInAgent) -> None:
        old = dict(running.list_processes())

        assert ask(running, "restart").document == OK
        wait_for(running, ALL)
        assert not old.keys() & dict(running.list_processes()).keys()
        former = next(pid for pid, name in old.items() if name == "ocp_agentd")
        assert f"ocp_agentd.{former}.pid" in files(running)
        assert ask(running, "restart").document == OK
        assert f"ocp_agentd.{former}.pid" not in files(running)

    def test_down_it_is_a_start(self, agent: StandInAgent) -> None:
        assert ask(agent, "restart").document == OK
        assert names(agent) == ALL


class TestStatus:
    def test_running(self, running: StandInAgent) -> None:
        pids = {name: pid for pid, name in running.list_processes()}

        message = ask(running, "status").document["message"]

        assert (message["state"], message["ready"], message["pid"]) == ("running", True, pids["ocp_agentd"])
        assert message["dangling"] is None
        for name in ALL[1:]:
            service = message["services"][name]
            assert (service["state"], service["pid"]) == ("running", pids[name])
            assert abs(service["startAt"] / 1e9 - time.time()) < 60

    def test_stopped_has_no_document(self, agent: StandInAgent) -> None:
        path = agent.home / "run" / "ocp_agentd.pid"

        answer = ask(agent, "status")

        assert answer.code == 255
        assert answer.error == (
            f"Module=agent, kind=INTERNAL, code=read_pid_failed; [{path}]\ncause:\n"
            f"open {path}: no such file or directory"
        )

    def test_a_killed_agentd_refuses_connections(self, running: StandInAgent) -> None:
        running.kill("agentd")

        assert ask(running, "status").error.endswith("connect: connection refused")

    def test_a_wedged_agentd_does_not_answer(self, running: StandInAgent) -> None:
        running.wedge("agentd")

        assert ask(running, "status").error.endswith("context deadline exceeded")

    def test_a_wedged_service_is_unknown(self, running: StandInAgent) -> None:
        running.wedge("monagent")

        message = ask(running, "status").document["message"]

        assert message["ready"] is False
        assert message["services"]["ocp_monagent"]["state"] == "unknown"


class TestWatchdog:
    def test_a_killed_service_comes_back(self, running: StandInAgent) -> None:
        old = running.kill("mgragent")
        wait_for(running, ALL)

        assert running.find_pid("mgragent") != old

    def test_mgragent_comes_back_after_term_and_monagent_does_not(self, running: StandInAgent) -> None:
        old = running.find_pid("mgragent")
        os.kill(old, signal.SIGTERM)
        wait_until(lambda: processes.look(old) is None, 5, "the old mgragent is gone")
        wait_for(running, ALL)
        os.kill(running.find_pid("monagent"), signal.SIGTERM)
        wait_for(running, ALL[:2])

        status = ask(running, "status").document["message"]
        assert status["services"]["ocp_monagent"]["state"] == "stopped"
        assert ask(running, "stop").document == OK
        assert files(running) == []

    def test_a_service_that_keeps_dying_is_given_up(self, running: StandInAgent) -> None:
        for left in (2, 1, 0):
            running.kill("mgragent")
            wait_for(running, ALL if left else ["ocp_agentd", "ocp_monagent"])

        assert ask(running, "status").document["message"]["ready"] is False


class TestCommandLine:
    def test_without_a_command_there_is_help_and_no_json(self, agent: StandInAgent) -> None:
        answer = agent.control()

        assert (answer.returncode, answer.stdout[:6]) == (0, "Usage:")

    def test_an_unknown_command_is_a_usage_error(self, agent: StandInAgent) -> None:
        answer = agent.control("halt")

        assert (answer.returncode, answer.stdout) == (1, "")
        assert 'unknown command "halt"' in answer.stderr

    def test_each_call_is_logged_with_the_claim_of_its_caller(self, agent: StandInAgent) -> None:
        agent.control("stop", claim="worker-7 t3")
        agent.control("status")

        log = agent.read_commands()
        assert [(line.edge, line.verb, line.claim) for line in log] == [
            ("start", "stop", "worker-7 t3"),
            ("end", "stop", "worker-7 t3"),
            ("start", "status", None),
            ("end", "status", None),
        ]
        assert log[0].pid == log[1].pid
        assert all(abs(line.at_ms / 1000 - time.time()) < 60 for line in log)

    def test_a_log_that_cannot_be_written_is_noise_on_stderr_even_on_success(self, agent: StandInAgent) -> None:
        (agent.home / "log").rmdir()

        answer = agent.control("stop")

        assert (answer.returncode, json.loads(answer.stdout)) == (0, OK)
        assert answer.stderr.startswith("write log failed")


class TestDestroy:
    def test_a_process_that_knows_only_the_home_can_do_it(self, running: StandInAgent) -> None:
        running.wedge("monagent")
        source = "import sys; from demo.agents import StandInAgent; StandInAgent.at(sys.argv[1]).destroy()"
        subprocess.run([sys.executable, "-c", source, str(running.home)], check=True)

        assert names(running) == []

    def test_it_reaches_a_control_program_at_work(self, running: StandInAgent) -> None:
        running.wedge("agentd")
        with subprocess.Popen([running.agentctl, "stop"]) as stopping:
            wait_until((running.home / "run" / "admin.lock").exists, 5, "the stop has the lock")
            running.destroy()

            assert stopping.wait(5) == -signal.SIGKILL

    def test_a_neighbour_is_left_alone(self, running: StandInAgent, tmp_path: Path) -> None:
        neighbour = StandInAgent.install(tmp_path / "agent-2", pace=QUICK)
        try:
            neighbour.start()
            running.destroy()
            assert names(neighbour) == ALL
        finally:
            neighbour.destroy()


class TestService:
    """Real agents answer yes with an exit status and a text of no."""

    @staticmethod
    def said_yes(answer: Answer, request: str) -> bool:
        wanted = f"code=decode_result_failed; api /api/v1/{request}Service, decode resp "
        return answer.code == 255 and wanted in answer.error and '"successful":true' in answer.error

    @pytest.mark.parametrize("name", ["mgragent", "monagent"])
    def test_a_stopped_service_stays_stopped_until_it_is_started(self, running: StandInAgent, name: str) -> None:
        before = running.list_processes()
        assert self.said_yes(ask(running, "service", "stop", f"ocp_{name}"), "stop")
        assert [found for _, found in running.list_processes()] == [one for one in ALL if one != f"ocp_{name}"]
        service = ask(running, "status").document["message"]["services"][f"ocp_{name}"]
        assert (service["state"], service["ports"], service["version"]) == ("stopped", None, "")
        assert self.said_yes(ask(running, "service", "stop", f"ocp_{name}"), "stop"), "twice is no error"

        assert self.said_yes(ask(running, "service", "start", f"ocp_{name}"), "start")
        wait_until(lambda: [found for _, found in sorted(running.list_processes(), key=_by_name)] == ALL, 5, "all run")
        assert ask(running, "status").document["message"]["ready"] is True
        assert running.find_pid(name) not in {pid for pid, _ in before}

    def test_a_start_of_a_service_that_runs_makes_a_second_one(self, running: StandInAgent) -> None:
        ask(running, "service", "start", "ocp_monagent")
        wait_until(lambda: len(running.list_processes()) == 4, 5, "a second monagent runs")

    def test_a_wedged_service_is_killed(self, running: StandInAgent) -> None:
        running.wedge("monagent")
        answer = ask(running, "service", "stop", "ocp_monagent")
        assert "code=api_request_failed" in answer.error, "this one is killed later than the control program waits"
        wait_until(lambda: "ocp_monagent" not in [name for _, name in running.list_processes()], 5, "it is gone")

    def test_what_cannot_be_done(self, running: StandInAgent) -> None:
        assert "code=service_not_round" in ask(running, "service", "stop", "ocp_nothing").error
        assert ask(running, "service", "stop").error == "missing service name"
        assert running.control("service").returncode == 0
        assert running.control("service", "restart", "ocp_monagent").returncode == 1
        running.kill("agentd")
        assert "connection refused" in ask(running, "service", "stop", "ocp_monagent").error

    def test_the_version_needs_no_agentd(self, agent: StandInAgent) -> None:
        assert ask(agent, "version").document["message"] == "4.2.2-standin"


def _by_name(process: tuple[int, str]) -> str:
    return process[1]


@pytest.mark.alone
def test_at_the_real_pace_all_takes_the_measured_seconds(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        agents = {name: StandInAgent.install(tmp_path / name) for name in ("healthy", "manager", "monitor", "agentd")}
        try:
            starts = list(pool.map(lambda agent: ask(agent, "start"), agents.values()))
            for name, wedged in (("manager", "mgragent"), ("monitor", "monagent"), ("agentd", "agentd")):
                agents[name].wedge(wedged)
            stops = dict(zip(agents, pool.map(lambda agent: ask(agent, "stop"), agents.values()), strict=True))
            wait_for(agents["monitor"], [])
            wait_for(agents["manager"], [])
        finally:
            for agent in agents.values():
                agent.destroy()

    assert all(1 <= start.seconds < 2 for start in starts)
    assert stops["healthy"].document == OK
    assert 3 < stops["healthy"].seconds < 6
    for name in ("manager", "monitor", "agentd"):
        assert "code=wait_for_exit_timeout" in stops[name].error
        assert 10 <= stops[name].seconds < 12


def test_an_unreaped_agentd_counts_as_running_where_zombies_are_heeded(tmp_path: Path) -> None:
    agent = StandInAgent.install(tmp_path / "agent", pace=Pace(monagent_linger=0, poll=0.1, heed_zombies=True))
    become_reaper(yes=True)
    try:
        agent.start()
        agentd = agent.find_pid("agentd")
        first, second = ask(agent, "stop"), ask(agent, "stop")
        os.waitpid(agentd, 0)
    finally:
        agent.destroy()
        become_reaper(yes=False)

    assert (first.code, "code=wait_for_exit_timeout" in first.error) == (255, True)
    assert second.document == OK
    assert agent.list_processes() == []


def become_reaper(*, yes: bool) -> None:
    """Have orphans of this process's children handed to it, which reaps none of them unless asked to."""
    set_child_subreaper = 36
    assert ctypes.CDLL(None).prctl(set_child_subreaper, int(yes)) == 0
