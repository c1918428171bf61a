"""`ocpfleet task retry|skip|cancel|rollback`: to change the course of a task."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from cli import output
from cli.commands.task.follow import Follow, end_of
from cli.commands.task.report import heading, host_of, read_hosts, read_task
from cli.commands.task.select import subtasks_of
from cli.exits import ApiRefused, Exit
from cli.output import AsJson, Document, Yes
from cli.remote import api as use
from cli.remote.client import Client
from core.errors import InvalidRequest

TaskId = Annotated[int, typer.Argument(metavar="TASK", min=1, help="the task's id")]
SubtaskIds = Annotated[list[int] | None, typer.Argument(metavar="[SUBTASK]", help="these subtasks alone")]
OfHosts = Annotated[
    list[str] | None, typer.Option("--host", metavar="HOST", help="those of this host; several, or a pattern")
]
_Move = Literal["retry", "skip", "cancel"]
_STATUS: dict[_Move, str] = {"retry": "FAILED", "skip": "FAILED", "cancel": "RUNNING"}
_DONE: dict[_Move, str] = {"retry": "runs again", "skip": "counts as done", "cancel": "is being cancelled"}


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("retry", help="Run again what failed of a task: all of it, or some subtasks.")(_retry)
    cli.command("skip", help="Let failed subtasks count as done.")(_skip)
    cli.command("cancel", help="Stop a task: nothing new starts, what runs is abandoned. Or some subtasks alone.")(
        _cancel
    )
    cli.command("rollback", help="Undo what a failed task did, and give its hosts back.")(_rollback)


def _retry(
    task: TaskId,
    subtasks: SubtaskIds = None,
    host: OfHosts = None,
    *,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    if subtasks or host:
        _move_some(task, "retry", subtasks or (), host or ())
    else:
        _move_all(task, "retry", as_json=as_json and not follow)
    _follow(task, follow=follow, as_json=as_json)


def _skip(
    task: TaskId,
    subtasks: SubtaskIds = None,
    host: OfHosts = None,
    *,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    if not subtasks and not host:
        raise InvalidRequest("SUBTASK", None, f"What of task {task}? Name hosts with --host, or subtasks by their ids.")
    _move_some(task, "skip", subtasks or (), host or ())
    _follow(task, follow=follow, as_json=as_json)


def _cancel(
    task: TaskId,
    subtasks: SubtaskIds = None,
    host: OfHosts = None,
    *,
    yes: Yes = False,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    if subtasks or host:
        _move_some(task, "cancel", subtasks or (), host or ())
    else:
        output.confirm(f"Cancel all that is left of task {task}?", yes=yes)
        _move_all(task, "cancel", as_json=as_json and not follow)
    _follow(task, follow=follow, as_json=as_json)


def _rollback(task: TaskId, *, yes: Yes = False, follow: Follow = False, as_json: AsJson = False) -> None:
    output.confirm(f"Undo what task {task} did? Agents that it stopped are started again.", yes=yes)
    _move_all(task, "rollback", as_json=as_json and not follow)
    _follow(task, follow=follow, as_json=as_json)


def _move_all(task_id: int, move: str, *, as_json: bool) -> None:
    task: Document = use.run(lambda client: client.post(f"/tasks/instances/{task_id}/{move}")).data
    if as_json:
        output.show_json(task)
    else:
        output.note(heading(task))


def _follow(task_id: int, *, follow: bool, as_json: bool) -> None:
    if follow:
        raise typer.Exit(end_of(task_id, as_json=as_json))


def _move_some(task_id: int, move: _Move, ids: Sequence[int], words: Sequence[str]) -> None:
    """Move subtasks one after the other; what is refused does not keep the others back.

    Raises:
        typer.Exit: some were refused.
    """
    done = use.run(lambda client: _each(client, task_id, move, ids, words))
    if not done:
        raise typer.Exit(Exit.FAILED)


async def _each(client: Client, task_id: int, move: _Move, ids: Sequence[int], words: Sequence[str]) -> bool:
    task, hosts = await read_task(client, task_id), await read_hosts(client, task_id)
    whole = True
    for subtask in subtasks_of(task, hosts, words, ids, _STATUS[move]):
        host = host_of(subtask, hosts)
        name = f"subtask {subtask['id']}, {subtask['name']}{f' on {host.name}' if host else ''}"
        try:
            await client.post(f"/tasks/instances/{task_id}/subtasks/{subtask['id']}/{move}")
        except ApiRefused as error:
            output.note(f"{name}: {error.sentence}")
            whole = False
        else:
            output.note(f"{name}: {_DONE[move]}")
    return whole
