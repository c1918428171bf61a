"""The views of a task that is followed."""

import re

import pytest

from cli.commands.task.progress import read_event
from cli.commands.task.views import LiveView, PlainView


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
    monkeypatch.setattr("cli.commands.task.views.time.monotonic", lambda: now)
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
