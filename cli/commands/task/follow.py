"""Following a task to its end: `--follow` and `ocpfleet task follow`."""

import asyncio
import sys
from contextlib import aclosing
from typing import Annotated, Final

import typer

from cli import output
from cli.commands.task.progress import of_event
from cli.commands.task.report import tell_end
from cli.commands.task.views import JsonView, LiveView, PlainView, View
from cli.exits import ApiRefused, Exit
from cli.host_names import Named, named
from cli.remote import api as use
from cli.remote.client import Client
from cli.remote.events import Following

Follow = Annotated[bool, typer.Option("--follow", "-f", help="watch the task to its end")]
_DONE: Final = "SUCCESSFUL"
_TICK: Final = 0.5
"""Seconds after which a view may show what it kept back."""


class _Watch:
    """What is known of a task that is followed, across interruptions."""

    def __init__(self, task_id: int, view: View) -> None:
        self.following = Following(task_id)
        self.view = view
        self.status = ""
        self._hosts: dict[int, Named] | None = None
        self._failed: set[int] = set()

    async def to_the_end(self, client: Client) -> None:
        """Show what happens until the task ends."""
        ticking = asyncio.create_task(self._tick())
        try:
            await self._follow(client)
        finally:
            ticking.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.view.tick()

    async def _follow(self, client: Client) -> None:
        async with aclosing(self.following.events(client)) as events:
            async for event in events:
                self.view.event(event)
                if "progress" not in event.data:
                    continue
                standing = of_event(event.data)
                new = [host_id for host_id in standing.failed_ids if host_id not in self._failed]
                self._failed = set(standing.failed_ids)
                self.view.stands(standing, [await self._name(client, host_id) for host_id in new])
                self.status = standing.status

    async def _name(self, client: Client, host_id: int) -> str:
        if self._hosts is None:
            hosts = named(await client.everything(f"/tasks/instances/{self.following.task_id}/hosts"))
            self._hosts = {host.id: host for host in hosts}
        return self._hosts.get(host_id, Named(host_id, None)).name


def end_of(task_id: int, *, as_json: bool) -> Exit:
    """Follow a task until it ends or a person has seen enough; return how the command ends.

    Raises:
        ApiUnreachable: the API does not answer any more; the task goes on.
        ApiRefused: there is no such task.
        ApiDenied: whoever asks may not look at it.
    """
    view: View = JsonView() if as_json else LiveView() if sys.stdout.isatty() else PlainView()
    watch = _Watch(task_id, view)
    while True:
        try:
            view.begin()
            use.run(watch.to_the_end)
            break
        except KeyboardInterrupt:
            view.pause()
            if not _goes_on(task_id):
                output.note(f"Task {task_id} goes on. `ocpfleet task follow {task_id}` watches it again.")
                return Exit.LEFT
        finally:
            view.pause()
    if not as_json:
        use.run(lambda client: tell_end(client, task_id))
    return Exit.DONE if watch.status == _DONE else Exit.FAILED


def _goes_on(task_id: int) -> bool:
    """Ask what to do with a task after Ctrl-C; do it, and return whether to follow on."""
    if not output.attended():
        return False
    question = f"Task {task_id}: [l]eave it running, [c]ancel it, or [f]ollow on?"
    try:
        answer: str = typer.prompt(question, default="l", err=True)
    except (typer.Abort, KeyboardInterrupt):
        output.note("")
        return False
    match answer.strip().lower()[:1]:
        case "c":
            return _cancelled(task_id)
        case "f":
            return True
        case _:
            return False


def _cancelled(task_id: int) -> bool:
    """Cancel the task; it is followed on, since what runs takes a moment to let go."""
    try:
        use.run(lambda client: client.post(f"/tasks/instances/{task_id}/cancel"))
    except ApiRefused as error:
        output.note(error.sentence)
    else:
        output.note(f"Task {task_id} is being cancelled: nothing new starts, what runs is abandoned.")
    return True
