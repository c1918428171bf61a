"""`ocpfleet task retry`, `skip`, `cancel` and `rollback`."""

import json
import re
from collections.abc import Callable

import pytest

from tests.support.cli import Command, FakeApi, read_head
from tests.support.fake_store import FakeStore
from workers.executor.stub.executor import StubExecutor


def test_retry_runs_only_what_failed(
    command: Command, store: FakeStore, work: Callable[..., None], executor: StubExecutor, failed: str
) -> None:
    assert failed
    executor.behaviours.clear()
    code, out, err = command("task", "retry", "1")
    assert (code, out, err) == (0, "", "Task 1  Batch stop OCP agent: RUNNING, RETRY\n")
    work()
    assert read_head(store).status == "SUCCESSFUL"
    code, _, err = command("task", "retry", "1")
    assert code == 1
    assert re.fullmatch(r"Task 1 is SUCCESSFUL; only a FAILED one can be retried\. \[trace id \w+\]\n", err)


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
    assert read_head(store).status == "SUCCESSFUL"


def test_cancel_asks_a_person_first(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    command("stop", "web-[1-5]")
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert command("task", "cancel", "1") == (1, "", "Nothing was done.\n")
    assert read_head(store).status == "RUNNING"
    code, _, err = command("task", "cancel", "1", "--yes")
    assert (code, err) == (0, "Task 1  Batch stop OCP agent: FAILED\n")
    lines = command("task", "show", "1")[1].splitlines()
    assert "5 subtasks failed:" in lines
    assert [line for line in lines if "Prepare stop OCP agent, run 1" in line] == [
        f"  web-{number} ({10 + number})  Prepare stop OCP agent, run 1, cancelled" for number in range(1, 6)
    ]


def test_rollback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = {"id": 17, "name": "Batch stop OCP agent", "status": "RUNNING", "operation": "ROLLBACK"}
    fake = FakeApi(monkeypatch, data=task)
    assert command("task", "rollback", "17") == (0, "", "Task 17  Batch stop OCP agent: RUNNING, ROLLBACK\n")
    assert fake.asked == [("POST", "/api/v2/tasks/instances/17/rollback")]
    assert json.loads(command("task", "rollback", "17", "--json")[1]) == task


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (20003, "Task 17 is RUNNING; only a FAILED one can be rolled back."),
        (20004, "Task 17 may not be rolled back."),
    ],
)
def test_a_rollback_that_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, code: int, sentence: str
) -> None:
    FakeApi(monkeypatch, 400, error={"code": code, "message": sentence})
    assert command("task", "rollback", "17") == (1, "", f"{sentence} [trace id t1]\n")


def test_a_rollback_asks_a_person_first(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeApi(monkeypatch, data={})
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert command("task", "rollback", "17") == (1, "", "Nothing was done.\n")
    assert fake.asked == []
