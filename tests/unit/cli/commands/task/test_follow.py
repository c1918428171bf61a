"""`ocpfleet task follow` and `--follow`, to the end or to Ctrl-C."""

import json

import pytest

from cli.remote.client import Client
from cli.remote.events import Event, EventStream
from tests.support.cli import Command, read_head
from tests.support.fake_store import FakeStore


def test_follow_reports_the_end(command: Command, failed: str) -> None:
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
    assert read_head(store).status == "RUNNING"


@pytest.mark.parametrize(
    ("answers", "code", "status"), [("l", 5, "RUNNING"), ("", 5, "RUNNING"), ("c", 1, "FAILED"), ("fc", 1, "FAILED")]
)
def test_ctrl_c_at_a_terminal_asks(
    command: Command, *, store: FakeStore, monkeypatch: pytest.MonkeyPatch, answers: str, code: int, status: str
) -> None:
    interrupted(monkeypatch, max(len(answers), 1))
    given = iter(answers or [""])
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(given))
    assert command("stop", "web-[1-5]", "--follow", "--yes")[0] == code
    assert read_head(store).status == status


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
