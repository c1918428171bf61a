"""Three views of a task that is followed: live on a terminal, line by line, and JSON for scripts."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from typing_extensions import override

from cli import output
from cli.commands.task.progress import WAIT_NODE, StepProgress, TaskProgress
from cli.output import escape_controls
from cli.remote.events import Event

_LINE_INTERVAL: Final = 2.0
"""Seconds between two lines about one step, at the least; a step that is done gets its line at once."""


class View(Protocol):
    """Shows the progress of a task."""

    def show_event(self, event: Event) -> None:
        """Show an event, as it came."""

    def show_progress(self, progress: TaskProgress, failed: Sequence[str]) -> None:
        """Show the task's progress, and the hosts that have failed since the last call."""

    def tick(self) -> None:
        """Show what was held back; called every now and then."""

    def begin(self) -> None:
        """Begin, or go on after `pause`."""

    def pause(self) -> None:
        """Leave the terminal to a question, or for good."""


class _LineView(View):
    """A view that only adds lines, so that it has nothing to begin or to pause."""

    @override
    def tick(self) -> None:
        """Do nothing: nothing is held back."""

    @override
    def begin(self) -> None:
        """Do nothing."""

    @override
    def pause(self) -> None:
        """Do nothing."""


class JsonView(_LineView):
    """Prints each message of the stream as one line of JSON, with its kind in `event`."""

    @override
    def show_event(self, event: Event) -> None:
        output.write_json_line({"event": event.kind} | event.data)

    @override
    def show_progress(self, progress: TaskProgress, failed: Sequence[str]) -> None:
        pass


class PlainView(_LineView):
    """Prints a line for each step that made progress, for logs and pipes."""

    def __init__(self) -> None:
        self._shown: dict[int, str] = {}
        self._shown_at: dict[int, float] = {}
        self._progress: TaskProgress | None = None

    @override
    def show_event(self, event: Event) -> None:
        _note_loss(event)

    @override
    def show_progress(self, progress: TaskProgress, failed: Sequence[str]) -> None:
        self._progress = progress
        urgent = bool(failed) or progress.status != "RUNNING"
        for index, step in enumerate(progress.steps):
            if self._is_due(index, step, urgent=urgent):
                self._shown[index], self._shown_at[index] = str(step), time.monotonic()
                output.say(f"{datetime.now().astimezone():%H:%M:%S}  {step.name}: {step}")
        for label in failed:
            output.say(f"{datetime.now().astimezone():%H:%M:%S}  FAILED: {label}")

    def _is_due(self, index: int, step: StepProgress, *, urgent: bool) -> bool:
        if step.name == WAIT_NODE or self._shown.get(index) == str(step):
            return False
        if step.is_untouched and index not in self._shown:
            return False
        early = time.monotonic() - self._shown_at.get(index, 0) < _LINE_INTERVAL
        return urgent or not early or step.done == step.size

    @override
    def tick(self) -> None:
        if self._progress is not None:
            self.show_progress(self._progress, ())


class LiveView(View):
    """Shows a bar for each step, below the hosts that failed."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._bars: dict[int, TaskID] = {}
        self._live: Live | None = None
        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(20),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", table_column=Column(no_wrap=True, justify="right")),
            TimeElapsedColumn(Column(no_wrap=True)),
            TextColumn("{task.fields[more]}", table_column=Column(no_wrap=True)),
        )
        self._display = Progress(*columns, console=self._console)

    @override
    def tick(self) -> None:
        """Do nothing: the display refreshes itself."""

    @override
    def begin(self) -> None:
        self._live = Live(self._display, console=self._console, refresh_per_second=4)
        self._live.start()

    @override
    def pause(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @override
    def show_event(self, event: Event) -> None:
        _note_loss(event)

    @override
    def show_progress(self, progress: TaskProgress, failed: Sequence[str]) -> None:
        for index, step in enumerate(progress.steps):
            if step.name != WAIT_NODE:
                self._show_step(index, step)
        for label in failed:
            self._console.print(f"[red]✗[/red] {escape(escape_controls(label))} failed")

    def _show_step(self, index: int, step: StepProgress) -> None:
        if index not in self._bars:
            name = escape(escape_controls(step.name))
            self._bars[index] = self._display.add_task(name, total=step.size, start=False, more="")
        bar = self._bars[index]
        if not step.is_untouched:
            self._display.start_task(bar)
        self._display.update(bar, completed=step.done, total=step.size, more=_describe_open(step))
        if step.done == step.size or (step.failed and step.done + step.failed == step.size):
            self._display.stop_task(bar)


def _describe_open(step: StepProgress) -> str:
    """Return how many subtasks of a step run and how many failed."""
    busy = step.counts.get("RUNNING", 0) + step.counts.get("CANCELING", 0)
    running = [f"{busy} running"] if busy else []
    return ", ".join([*running, *([f"[red]{step.failed} failed[/red]"] if step.failed else [])])


def _note_loss(event: Event) -> None:
    if event.kind == "lost":
        output.note(f"The connection broke; trying again. {event.data['message']}")
