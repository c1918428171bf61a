"""`--follow` and `ocpfleet task follow`: show a task's progress until it ends."""

import asyncio
import sys
from contextlib import aclosing
from typing import Annotated, Final

import typer

from cli import output
from cli.commands.task.progress import read_event
from cli.commands.task.report import report_end
from cli.commands.task.views import JsonView, LiveView, PlainView, View
from cli.exits import ApiRefused, Exit
from cli.host_names import HostName, read_host_names
from cli.remote import api as remote
from cli.remote.client import Client
from cli.remote.events import EventStream

Follow = Annotated[bool, typer.Option("--follow", "-f", help="watch the task to its end")]
_DONE: Final = "SUCCESSFUL"
_TICK: Final = 0.5
"""Seconds between two chances for a view to show what it held back."""


class _Follower:
    """Follows one task, and remembers what it has seen when it is interrupted."""

    def __init__(self, task_id: int, view: View) -> None:
        self.stream = EventStream(task_id)
        self.view = view
        self.status = ""
        self._hosts: dict[int, HostName] | None = None
        self._failed: set[int] = set()

    async def follow(self, client: Client) -> None:
        """Show the task's events until it ends."""
        ticker = asyncio.create_task(self._tick())
        try:
            await self._show_events(client)
        finally:
            ticker.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.view.tick()

    async def _show_events(self, client: Client) -> None:
        async with aclosing(self.stream.read(client)) as events:
            async for event in events:
                self.view.show_event(event)
                if "progress" not in event.data:
                    continue
                progress = read_event(event.data)
                new = [host_id for host_id in progress.failed_ids if host_id not in self._failed]
                self._failed = set(progress.failed_ids)
                self.view.show_progress(progress, [await self._find_label(client, host_id) for host_id in new])
                self.status = progress.status

    async def _find_label(self, client: Client, host_id: int) -> str:
        if self._hosts is None:
            hosts = read_host_names(await client.get_all(f"/tasks/instances/{self.stream.task_id}/hosts"))
            self._hosts = {host.id: host for host in hosts}
        return self._hosts.get(host_id, HostName(host_id, None)).label


def follow_to_end(task_id: int, *, as_json: bool) -> Exit:
    """Follow a task until it ends or a person leaves it; return the command's exit code.

    Raises:
        ApiUnreachable: the API no longer answers; the task goes on.
        ApiRefused: the task does not exist.
        ApiDenied: the user may not see the task.
    """
    view: View = JsonView() if as_json else LiveView() if sys.stdout.isatty() else PlainView()
    follower = _Follower(task_id, view)
    while True:
        try:
            view.begin()
            remote.run(follower.follow)
            break
        except KeyboardInterrupt:
            view.pause()
            if not _ask_to_go_on(task_id):
                output.note(f"Task {task_id} goes on. Watch it again: ocpfleet task follow {task_id}")
                return Exit.LEFT
        finally:
            view.pause()
    if not as_json:
        remote.run(lambda client: report_end(client, task_id))
    return Exit.DONE if follower.status == _DONE else Exit.FAILED


def _ask_to_go_on(task_id: int) -> bool:
    """Ask a person who pressed Ctrl-C what to do with the task, do it, and return whether to go on following."""
    if not output.is_interactive():
        return False
    question = f"Task {task_id}: [l]eave it running, [c]ancel it, or [f]ollow on?"
    try:
        answer: str = typer.prompt(question, default="l", err=True)
    except (typer.Abort, KeyboardInterrupt):
        output.note("")
        return False
    match answer.strip().lower()[:1]:
        case "c":
            _cancel(task_id)
            return True  # running work takes a moment to stop
        case "f":
            return True
        case _:
            return False


def _cancel(task_id: int) -> None:
    try:
        remote.run(lambda client: client.post(f"/tasks/instances/{task_id}/cancel"))
    except ApiRefused as error:
        output.note(error.sentence)
    else:
        output.note(f"Task {task_id} is being cancelled: nothing new begins, and running work is abandoned.")
