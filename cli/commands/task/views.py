"""Three ways to show a task that is followed: live on a terminal, line by line, and as JSON for scripts."""

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
from cli.commands.task.progress import WAIT_NODE, Standing, Step
from cli.output import clean
from cli.remote.events import Event

_BETWEEN_LINES: Final = 2.0
"""Seconds between two lines of one step, at the least; a step that is done is told at once."""


class View(Protocol):
    """Shows what happens to a task."""

    def event(self, event: Event) -> None:
        """Take what came, as it came."""

    def stands(self, standing: Standing, failed: Sequence[str]) -> None:
        """Show how the task stands, and which hosts failed since the last time."""

    def tick(self) -> None:
        """Show what was kept back; called every now and then."""

    def begin(self) -> None:
        """Begin, or go on after `pause`."""

    def pause(self) -> None:
        """Leave the terminal to a question, or for good."""


class _Lines(View):
    """A view that only ever adds lines, and so has nothing to take away from the terminal."""

    @override
    def tick(self) -> None:
        """Nothing is kept back."""

    @override
    def begin(self) -> None:
        """Nothing is kept on the terminal."""

    @override
    def pause(self) -> None:
        """Nothing is kept on the terminal."""


class JsonView(_Lines):
    """One JSON object a line: each message of the stream, its kind in `event`."""

    @override
    def event(self, event: Event) -> None:
        output.json_line({"event": event.kind} | event.data)

    @override
    def stands(self, standing: Standing, failed: Sequence[str]) -> None:
        pass


class PlainView(_Lines):
    """A line for each step that went on, for logs and pipes."""

    def __init__(self) -> None:
        self._told: dict[int, str] = {}
        self._at: dict[int, float] = {}
        self._standing: Standing | None = None

    @override
    def event(self, event: Event) -> None:
        _note_loss(event)

    @override
    def stands(self, standing: Standing, failed: Sequence[str]) -> None:
        self._standing = standing
        now, over = time.monotonic(), standing.status != "RUNNING"
        for index, step in enumerate(standing.steps):
            quiet = step.untouched and index not in self._told
            early = now - self._at.get(index, 0) < _BETWEEN_LINES and step.done < step.size
            if (
                step.name == WAIT_NODE
                or quiet
                or (early and not over and not failed)
                or self._told.get(index) == str(step)
            ):
                continue
            self._told[index], self._at[index] = str(step), now
            output.say(f"{datetime.now().astimezone():%H:%M:%S}  {step.name}: {step}")
        for name in failed:
            output.say(f"{datetime.now().astimezone():%H:%M:%S}  FAILED: {name}")

    @override
    def tick(self) -> None:
        if self._standing is not None:
            self.stands(self._standing, ())


class LiveView(View):
    """A bar for each step, and the hosts that failed above them."""

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
        self._progress = Progress(*columns, console=self._console)

    @override
    def tick(self) -> None:
        """It refreshes itself."""

    @override
    def begin(self) -> None:
        self._live = Live(self._progress, console=self._console, refresh_per_second=4)
        self._live.start()

    @override
    def pause(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @override
    def event(self, event: Event) -> None:
        _note_loss(event)

    @override
    def stands(self, standing: Standing, failed: Sequence[str]) -> None:
        for index, step in enumerate(standing.steps):
            if step.name != WAIT_NODE:
                self._show(index, step)
        for name in failed:
            self._console.print(f"[red]✗[/red] {escape(clean(name))} failed")

    def _show(self, index: int, step: Step) -> None:
        if index not in self._bars:
            self._bars[index] = self._progress.add_task(escape(clean(step.name)), total=step.size, start=False, more="")
        bar = self._bars[index]
        if not step.untouched:
            self._progress.start_task(bar)
        self._progress.update(bar, completed=step.done, total=step.size, more=_more(step))
        if step.done == step.size or (step.failed and step.done + step.failed == step.size):
            self._progress.stop_task(bar)


def _more(step: Step) -> str:
    busy = step.counts.get("RUNNING", 0) + step.counts.get("CANCELING", 0)
    running = [f"{busy} running"] if busy else []
    return ", ".join([*running, *([f"[red]{step.failed} failed[/red]"] if step.failed else [])])


def _note_loss(event: Event) -> None:
    if event.kind == "lost":
        output.note(f"The connection is lost, trying again: {event.data['message']}")
