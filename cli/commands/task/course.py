"""`ocpfleet task retry|skip|cancel|rollback`: change the course of a task."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from cli import output
from cli.commands.task.follow import Follow, follow_to_end
from cli.commands.task.report import find_host, make_heading, read_hosts, read_task
from cli.commands.task.select import select_subtasks
from cli.exits import ApiRefused, Exit
from cli.output import AsJson, Document, Yes
from cli.remote import api as remote
from cli.remote.client import Client
from core.errors import InvalidRequest

TaskId = Annotated[int, typer.Argument(metavar="TASK", min=1, help="the task's id")]
SubtaskIds = Annotated[list[int] | None, typer.Argument(metavar="[SUBTASK]", help="only these subtasks")]
OfHosts = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="HOST", help="only the subtasks of this host or pattern; may be repeated"),
]
_Move = Literal["retry", "skip", "cancel"]
_STATUS: dict[_Move, str] = {"retry": "FAILED", "skip": "FAILED", "cancel": "RUNNING"}
_DONE: dict[_Move, str] = {"retry": "runs again", "skip": "counts as done", "cancel": "is being cancelled"}


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("retry", help="Run the failed subtasks of a task again: all, or some.")(_retry)
    cli.command("skip", help="Let failed subtasks count as done.")(_skip)
    cli.command(
        "cancel", help="Stop a task or some of its subtasks: nothing new begins, and running work is abandoned."
    )(_cancel)
    cli.command("rollback", help="Undo what a failed task did, and release its hosts.")(_rollback)


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
        raise InvalidRequest(
            "SUBTASK", None, f"Skip what in task {task}? Name hosts with --host, or subtasks by their ids."
        )
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
        output.confirm(f"Cancel everything that is left of task {task}?", yes=yes)
        _move_all(task, "cancel", as_json=as_json and not follow)
    _follow(task, follow=follow, as_json=as_json)


def _rollback(task: TaskId, *, yes: Yes = False, follow: Follow = False, as_json: AsJson = False) -> None:
    output.confirm(f"Undo what task {task} did? Agents that it stopped are started again.", yes=yes)
    _move_all(task, "rollback", as_json=as_json and not follow)
    _follow(task, follow=follow, as_json=as_json)


def _move_all(task_id: int, move: str, *, as_json: bool) -> None:
    task: Document = remote.run(lambda client: client.post(f"/tasks/instances/{task_id}/{move}")).data
    if as_json:
        output.show_json(task)
    else:
        output.note(make_heading(task))


def _follow(task_id: int, *, follow: bool, as_json: bool) -> None:
    if follow:
        raise typer.Exit(follow_to_end(task_id, as_json=as_json))


def _move_some(task_id: int, move: _Move, ids: Sequence[int], words: Sequence[str]) -> None:
    """Move subtasks one after the other; a refusal does not stop the others.

    Raises:
        typer.Exit: the API refused some of them.
    """
    complete = remote.run(lambda client: _move_each(client, task_id, move, ids, words))
    if not complete:
        raise typer.Exit(Exit.FAILED)


async def _move_each(client: Client, task_id: int, move: _Move, ids: Sequence[int], words: Sequence[str]) -> bool:
    task, hosts = await read_task(client, task_id), await read_hosts(client, task_id)
    complete = True
    for subtask in select_subtasks(task, hosts, words, ids, _STATUS[move]):
        host = find_host(subtask, hosts)
        name = f"subtask {subtask['id']}, {subtask['name']}{f' on {host.label}' if host else ''}"
        try:
            await client.post(f"/tasks/instances/{task_id}/subtasks/{subtask['id']}/{move}")
        except ApiRefused as error:
            output.note(f"{name}: {error.sentence}")
            complete = False
        else:
            output.note(f"{name}: {_DONE[move]}")
    return complete
