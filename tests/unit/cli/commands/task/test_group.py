"""`ocpfleet task` against the API itself, with a worker that works on hosts in memory."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from fastapi import FastAPI

from cli.commands.task import views
from cli.commands.task.progress import read_event
from cli.commands.task.views import LiveView, PlainView
from cli.remote import client
from cli.remote.client import Client
from cli.remote.events import Event, EventStream
from core.record import TaskRecord
from tests.support.api import KEY, entry
from tests.support.fake_store import FakeStore
from tests.support.work import make_work, run_through
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _hosts(app: FastAPI, store: FakeStore) -> None:
    assert app
    asyncio.run(store.hosts.put([*(entry(10 + number, f"web-{number}", KEY) for number in range(1, 6)), entry(7)], 0))


@pytest.fixture
def executor() -> StubExecutor:
    """Reaches web-2 not at all."""
    return StubExecutor(behaviours={12: Behaviour.UNREACHABLE})


@pytest.fixture
def work(store: FakeStore, executor: StubExecutor) -> Callable[..., None]:
    """Let a worker handle all messages of a task."""

    def run(task_id: int = 1) -> None:
        async def through() -> None:
            head = await store.tasks.head(task_id)
            assert head is not None
            await run_through(await make_work(store, executor), head)

        asyncio.run(through())

    return run


@pytest.fixture
def failed(command: Command, work: Callable[..., None]) -> str:
    """Stop five hosts of which one cannot be reached, and return what the log says of it."""
    assert command("stop", "web-[1-5]")[0] == 0
    work()
    return "Unreachable: 10.0.0.12:22: Connection refused"


def head(store: FakeStore) -> TaskRecord:
    found = asyncio.run(store.tasks.head(1))
    assert found is not None
    return found


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


def test_many_failures_are_counted_and_twenty_are_told(
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


def test_what_a_host_answered_does_not_steer_the_terminal(command: Command, store: FakeStore) -> None:
    asyncio.run(store.hosts.put([entry(30, "evil\x9b31m", KEY)], 0))
    assert "evil\ufffd31m" in command("hosts", "list")[1]


def test_retry_runs_only_what_failed(
    command: Command, store: FakeStore, work: Callable[..., None], executor: StubExecutor, failed: str
) -> None:
    assert failed
    executor.behaviours.clear()
    code, out, err = command("task", "retry", "1")
    assert (code, out, err) == (0, "", "Task 1  Batch stop OCP agent: RUNNING, RETRY\n")
    work()
    assert head(store).status == "SUCCESSFUL"
    code, _, err = command("task", "retry", "1")
    assert code == 1
    assert re.fullmatch(r"Task 1 is SUCCESSFUL; only what is FAILED can be asked to retry\. \[trace id \w+\]\n", err)


def test_retry_of_one_host(command: Command, work: Callable[..., None], executor: StubExecutor, failed: str) -> None:
    assert failed
    executor.behaviours.clear()
    code, _, err = command("task", "retry", "1", "--host", "web-[1-2]")
    assert (code, err) == (2, "Task 1 has no subtask that is FAILED on web-1. Nothing was done.\n")
    code, _, err = command("task", "retry", "1", "--host", "web-2")
    assert (code, err) == (0, "subtask 8, Stop all OCP agent processes on web-2 (12): runs again\n")
    work()
    assert command("task", "follow", "1")[0] == 0


def test_a_host_is_released_from_a_task_that_failed(command: Command, failed: str) -> None:
    assert failed
    assert [host["holderTaskId"] for host in json.loads(command("hosts", "list", "--json")[1])] == [None, 1, 1, 1, 1, 1]
    code, out, err = command("hosts", "release", "web-2")
    assert (code, out, err) == (0, "Released web-2: agent AVAILABLE, free.\n", "")
    code, _, err = command("hosts", "release", "web-2")
    assert (code, err.partition(":")[0]) == (1, "web-2 (12)")


def test_skip(command: Command, store: FakeStore, work: Callable[..., None], failed: str) -> None:
    assert failed
    code, _, err = command("task", "skip", "1")
    assert (code, err) == (2, "Skip what in task 1? Name hosts with --host, or subtasks by their ids.\n")
    assert command("task", "skip", "1", "8")[0] == 0
    code, _, err = command("task", "skip", "1", "8")
    assert code == 1
    assert err.startswith("subtask 8, Stop all OCP agent processes on web-2 (12): Subtask 8 is READY; ")
    work()
    assert head(store).status == "SUCCESSFUL"


def test_cancel_asks_a_person_first(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    command("stop", "web-[1-5]")
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert command("task", "cancel", "1") == (1, "", "Nothing was done.\n")
    assert head(store).status == "RUNNING"
    code, _, err = command("task", "cancel", "1", "--yes")
    assert (code, err) == (0, "Task 1  Batch stop OCP agent: FAILED\n")
    lines = command("task", "show", "1")[1].splitlines()
    assert "5 subtasks failed:" in lines
    assert [line for line in lines if "Prepare stop OCP agent, run 1" in line] == [
        f"  web-{number} ({10 + number})  Prepare stop OCP agent, run 1, cancelled" for number in range(1, 6)
    ]


def test_follow_tells_the_end(command: Command, failed: str) -> None:
    code, out, _ = command("task", "follow", "1")
    assert code == 1
    lines = out.splitlines()
    assert [line[10:] for line in lines[:3]] == [
        "Prepare stop OCP agent: 5/5 done",
        "Stop all OCP agent processes: 4/5 done, 1 failed",
        "FAILED: web-2 (12)",
    ]
    assert lines[3].startswith("Task 1  Batch stop OCP agent: FAILED")
    assert failed in out
    code, out, _ = command("task", "follow", "1", "--json")
    (end,) = map(json.loads, out.splitlines())
    assert (code, end["event"], end["status"], end["failedHostIds"]) == (1, "end", "FAILED", [12])
    assert command("task", "follow", "9")[0] == 1


def test_ctrl_c_without_a_terminal_leaves_the_task_running(
    command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(monkeypatch, 1)
    code, _, err = command("stop", "web-[1-5]", "--follow")
    assert (code, err) == (5, "Task 1 goes on. Watch it again: ocpfleet task follow 1\n")
    assert head(store).status == "RUNNING"


@pytest.mark.parametrize(
    ("answers", "code", "status"), [("l", 5, "RUNNING"), ("", 5, "RUNNING"), ("c", 1, "FAILED"), ("fc", 1, "FAILED")]
)
def test_ctrl_c_at_a_terminal_asks(  # noqa: PLR0917
    command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch, answers: str, code: int, status: str
) -> None:
    interrupted(monkeypatch, max(len(answers), 1))
    given = iter(answers or [""])
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(given))
    assert command("stop", "web-[1-5]", "--follow", "--yes")[0] == code
    assert head(store).status == status


def interrupted(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let Ctrl-C be pressed so often while a task is followed, each time after a first message."""
    left = iter(range(times))
    real = EventStream.read

    async def events(self: EventStream, asked: Client) -> object:
        if next(left, None) is not None:
            yield Event("snapshot", {})
            raise KeyboardInterrupt
        async for event in real(self, asked):
            yield event

    monkeypatch.setattr(EventStream, "read", events)


class Fake:
    """An API that is not built yet: remembers what it is asked, and gives one answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int = 200, **document: object) -> None:
        self.asked: list[tuple[str, str]] = []
        reply = httpx.Response(status, json={"traceId": "t1"} | document)

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append((request.method, request.url.path))
            return reply

        def open_http(address: object) -> httpx.AsyncClient:
            assert address
            return httpx.AsyncClient(base_url="http://fleet/api/v2", transport=httpx.MockTransport(answer))

        monkeypatch.setattr(client, "open_http", open_http)


def test_rollback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = {"id": 17, "name": "Batch stop OCP agent", "status": "RUNNING", "operation": "ROLLBACK"}
    fake = Fake(monkeypatch, data=task)
    assert command("task", "rollback", "17") == (0, "", "Task 17  Batch stop OCP agent: RUNNING, ROLLBACK\n")
    assert fake.asked == [("POST", "/api/v2/tasks/instances/17/rollback")]
    assert json.loads(command("task", "rollback", "17", "--json")[1]) == task


def test_a_task_that_was_rolled_back_is_told_from_one_that_was_done(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    Fake(monkeypatch, data={"contents": [task], "page": page})
    row = command("task", "list")[1].splitlines()[1].split()
    assert row[5:8] == ["SUCCESSFUL", "3", "undone"]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (20003, "Task 17 is RUNNING; only what is FAILED can be rolled back."),
        (20004, "Task 17 may not be rolled back."),
    ],
)
def test_a_rollback_that_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, code: int, sentence: str
) -> None:
    Fake(monkeypatch, 400, error={"code": code, "message": sentence})
    assert command("task", "rollback", "17") == (1, "", f"{sentence} [trace id t1]\n")


def test_a_rollback_asks_a_person_first(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, data={})
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert command("task", "rollback", "17") == (1, "", "Nothing was done.\n")
    assert fake.asked == []


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


def progress(*counts: dict[str, int], status: str = "RUNNING", operation: str = "EXECUTE") -> dict[str, object]:
    names = ("Prepare stop OCP agent", "Wait node", "Stop all OCP agent processes")
    steps = [{"name": name, "subtasks": count} for name, count in zip(names, counts, strict=False)]
    return {"status": status, "operation": operation, "progress": steps, "failedHostIds": [], "failedHostCount": 0}


def test_a_rollback_counts_what_is_undone() -> None:
    standing = read_event(progress({"PENDING": 2, "SUCCESSFUL": 1}, {"PENDING": 1}, operation="ROLLBACK"))
    assert str(standing.steps[0]) == "2/3 undone"
    assert not standing.steps[0].is_untouched
    assert read_event(progress({"SUCCESSFUL": 3}, operation="ROLLBACK")).steps[0].is_untouched


def test_plain_lines_come_at_most_every_two_seconds_a_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(views.time, "monotonic", lambda: now)
    view = PlainView()
    for done in range(4):
        view.show_progress(read_event(progress({"SUCCESSFUL": done, "RUNNING": 4 - done})), [])
        now += 0.9
    view.show_progress(read_event(progress({"SUCCESSFUL": 4})), [])
    view.show_progress(read_event(progress({"SUCCESSFUL": 4}, {"SUCCESSFUL": 1}, {"READY": 3})), [])
    view.show_progress(read_event(progress({"SUCCESSFUL": 4}, {"SUCCESSFUL": 1}, {"RUNNING": 3})), [])
    for _ in range(4):
        view.tick()
        now += 0.9
    told = [line[10:].partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert told == [
        "0/4 done, 4 running",
        "3/4 done, 1 running",
        "4/4 done",
        "0/3 done, 3 ready",
        "0/3 done, 3 running",
    ]


def test_the_live_view_shows_a_bar_for_each_step_and_goes_on_after_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    view = LiveView()
    for standing in (
        progress({"SUCCESSFUL": 2}, {"SUCCESSFUL": 1}, {"RUNNING": 1, "FAILED": 1}),
        progress({"SUCCESSFUL": 2}, {"SUCCESSFUL": 1}, {"SUCCESSFUL": 2}, status="SUCCESSFUL"),
    ):
        view.begin()
        view.show_progress(read_event(standing), ["web-2 (12)"])
        view.pause()
    shown = capsys.readouterr().out
    assert "Wait node" not in shown
    assert shown.count("✗ web-2 (12) failed") == 2
    assert re.search(r"Stop all OCP agent processes [━ ]+ 0/2 +\S+ 1 running, 1 failed", shown)
    assert re.search(r"Stop all OCP agent processes ━+ 2/2 ", shown)
