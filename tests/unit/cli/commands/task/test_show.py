"""`ocpfleet task list`, `show`, `log` and `diagnosis`."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.api import KEY, entry
from tests.support.cli import Command, FakeApi
from tests.support.fake_store import FakeStore
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor


def test_show_names_what_failed_and_what_can_be_done(command: Command, failed: str) -> None:
    code, out, err = command("task", "show", "1")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines() if line]
    assert lines[0] == "Task 1 Batch stop OCP agent: FAILED"
    assert lines[1].startswith("by admin, began ")
    assert lines[2:10] == [
        "step subtasks",
        "Prepare stop OCP agent 5/5 done",
        "Wait node 1/1 done",
        "Stop all OCP agent processes 4/5 done, 1 failed",
        "Wait node 0/1 done",
        "Finish OCP agent operation 0/5 done",
        "1 subtask failed:",
        "web-2 (12) Stop all OCP agent processes, run 1",
    ]
    assert lines[10].startswith(failed)
    assert lines[12].startswith("ocpfleet task log 1 --host web-2 ")
    assert [line.split()[2] for line in lines[12:]] == ["log", "retry", "skip", "rollback"]


def test_show_for_scripts(command: Command, failed: str) -> None:
    code, out, _ = command("task", "show", "1", "--json")
    task = json.loads(out)
    assert code == 0
    assert (task["id"], task["status"], len(task["subtasks"])) == (1, "FAILED", 17)
    (failure,) = task["failures"]
    assert failure.pop("reason").startswith(failed)
    assert failure == {
        "hostId": 12,
        "alias": "web-2",
        "subtaskId": 8,
        "step": "Stop all OCP agent processes",
        "runTime": 1,
        "operation": "EXECUTE",
    }


def test_many_failures_are_counted_and_twenty_are_explained(
    command: Command, store: FakeStore, work: Callable[..., None], executor: StubExecutor
) -> None:
    asyncio.run(store.hosts.put([entry(100 + number, f"db-{number}", KEY) for number in range(25)], 0))
    executor.behaviours |= {100 + number: Behaviour.UNREACHABLE for number in range(25)}
    command("stop", "db-[0-24]")
    work()
    _, out, _ = command("task", "show", "1")
    assert "25 subtasks failed:" in out
    assert out.count("Unreachable: ") == 20
    assert "  … and 5 more: `ocpfleet task show 1 --all`" in out
    assert command("task", "show", "1", "--all")[1].count("Unreachable: ") == 25


def test_list(command: Command, failed: str) -> None:
    assert failed
    command("stop", "7", "--single")
    code, out, _ = command("task", "list")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["id", "name", "status", "hosts", "done", "failed", "by", "began", "took"]
    assert rows[1][:7] == ["2", "Stop", "OCP", "agent", "RUNNING", "1", "0"]
    assert rows[2][:10] == ["1", "Batch", "stop", "OCP", "agent", "FAILED", "5", "60", "%", "1"]
    assert [
        one["id"] for one in json.loads(command("task", "list", "--status", "failed", "--json")[1])["contents"]
    ] == [1]
    assert [one["id"] for one in json.loads(command("task", "list", "--host", "7", "--json")[1])["contents"]] == [2]
    assert json.loads(command("task", "list", "--host", "web-1", "--json")[1])["contents"] == []
    code, out, err = command("task", "list", "--size", "1", "--page", "2")
    assert "Batch stop" in out
    assert err == "Page 2 of 2: 2 tasks in all.\n"
    assert command("task", "list", "--status", "DONE")[0] == 1
    assert command("task", "list", "--size", "9999")[0] == 2


def test_the_list_shows_that_a_task_was_rolled_back(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = {
        "id": 17,
        "name": "Batch stop OCP agent",
        "status": "SUCCESSFUL",
        "creator": {"id": 100, "name": "admin"},
        "startTime": "2026-01-01T00:00:00+00:00",
        "finishTime": "2026-01-01T00:00:09+00:00",
        "progress": [{"name": "Prepare stop OCP agent", "subtasks": {"PENDING": 3}}],
    }
    page = {"number": 1, "size": 20, "totalElements": 1, "totalPages": 1}
    FakeApi(monkeypatch, data={"contents": [task], "page": page})
    row = command("task", "list")[1].splitlines()[1].split()
    assert row[5:8] == ["SUCCESSFUL", "3", "undone"]


def test_the_log_of_a_host_or_of_a_subtask(command: Command, failed: str) -> None:
    code, out, _ = command("task", "log", "1", "--host", "web-2")
    assert code == 0
    heads = [line for line in out.splitlines() if line.startswith("== ")]
    assert heads == [
        "== subtask 2, Prepare stop OCP agent on web-2 (12): SUCCESSFUL",
        "== subtask 8, Stop all OCP agent processes on web-2 (12): FAILED",
    ]
    assert failed in out
    assert "== subtask 6, Wait node: SUCCESSFUL" in command("task", "log", "1", "6")[1]
    (one,) = json.loads(command("task", "log", "1", "8", "--run", "1", "--json")[1])
    assert (one["subtaskId"], one["host"], one["status"]) == (8, "web-2 (12)", "FAILED")
    code, _, err = command("task", "log", "1", "8", "--run", "2")
    assert (code, err.startswith("runTime: subtask 8 has no log of run 2.")) == (1, True)
    for words, said in (
        (("1",), "Which log of task 1? Name a host with --host, or a subtask.\n"),
        (("1", "--host", "web-[1-7]"), "Not in task 1: web-[6-7]. "),
        (("1", "99"), "Not in task 1: 99. Nothing was done.\n"),
    ):
        code, _, err = command("task", "log", *words)
        assert (code, err[: len(said)]) == (2, said)


def test_a_hosts_answer_cannot_control_the_terminal(command: Command, store: FakeStore) -> None:
    asyncio.run(store.hosts.put([entry(30, "evil\x9b31m", KEY)], 0))
    assert "evil\ufffd31m" in command("hosts", "list")[1]


def test_the_diagnosis_is_saved_whole_and_overwrites_nothing(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: str
) -> None:
    assert failed
    monkeypatch.chdir(tmp_path)
    assert command("task", "diagnosis", "1")[0] == 0
    with ZipFile(tmp_path / "task_1_diagnosis.zip") as archive:
        assert "task_info.txt" in archive.namelist()
    code, _, err = command("task", "diagnosis", "1")
    assert (code, err.partition(".zip ")[2]) == (2, "already exists. Move it, or name another file with --output.\n")
    assert command("task", "diagnosis", "1", "-o", "other.zip")[0] == 0
    assert command("task", "diagnosis", "1", "-o", "nowhere/other.zip")[0] == 2
    assert command("task", "diagnosis", "9", "-o", "none.zip")[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".zip") == [
        "other.zip",
        "task_1_diagnosis.zip",
    ]
