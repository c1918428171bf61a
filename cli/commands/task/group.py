"""`ocpfleet task`: to look at tasks."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from cli import output
from cli.commands.task import course
from cli.commands.task import diagnosis as archive
from cli.commands.task.course import OfHosts, TaskId
from cli.commands.task.follow import end_of
from cli.commands.task.progress import WAIT_NODE, steps_of
from cli.commands.task.report import SHOWN, host_of, read_failures, read_hosts, read_task, tell
from cli.commands.task.select import subtasks_of
from cli.host_names import Named, chosen, named
from cli.output import AsJson, Document, duration, moment
from cli.remote import api as use
from cli.remote.client import PAGE, Client
from core.errors import InvalidRequest

cli = typer.Typer(no_args_is_help=True, help="Tasks: to look at them, to follow them, and to change their course.")
_COLUMNS: Final = ("id", "name", "status", "hosts", "done", "failed", "by", "began", "took")


@cli.command("list", help="List the tasks, newest first.")
def list_tasks(
    *,
    name: Annotated[str | None, typer.Option(help="whose name contains this")] = None,
    status: Annotated[str | None, typer.Option(help="RUNNING, FAILED, SUCCESSFUL; several with commas")] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="about this host alone, which no batch is")] = None,
    creator: Annotated[str | None, typer.Option(help="of this user")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="MANUAL; nothing else is made here")] = None,
    page: Annotated[int, typer.Option(min=1, help="from 1")] = 1,
    size: Annotated[int, typer.Option(min=1, max=PAGE, help="tasks a page")] = 20,
    sort: Annotated[str | None, typer.Option(help="id,desc or id,asc")] = None,
    as_json: AsJson = False,
) -> None:
    """List tasks."""

    async def read(client: Client) -> Document:
        filters = {"name": name, "status": status and status.upper(), "creator": creator, "type": kind, "sort": sort}
        host_id = None if host is None else await _host_id(client, host)
        found: Document = await client.get("/tasks/instances", hostId=host_id, page=page, size=size, **filters)
        return found

    found = use.run(read)
    if as_json:
        output.show_json(found)
        return
    output.show_table(_COLUMNS, map(_row, found["contents"]))
    place = found["page"]
    if place["totalPages"] > 1:
        output.note(f"Page {place['number']} of {place['totalPages']}: {place['totalElements']} tasks in all.")


async def _host_id(client: Client, word: str) -> int:
    if word.isascii() and word.isdigit():
        return int(word)
    found = chosen([word], named(await client.everything("/compute/hosts")))
    if len(found) != 1:
        raise InvalidRequest("--host", word, f"--host {word}: name one host.")
    return found[0].id


def _row(task: Document) -> tuple[object, ...]:
    steps = [step for step in steps_of(task.get("progress", [])) if step.name != WAIT_NODE]
    size, done, failed = (sum(getattr(step, name) for step in steps) for name in ("size", "done", "failed"))
    return (
        task["id"],
        task["name"],
        task["status"],
        steps[0].size if steps else None,
        _done(str(task["status"]), done, size),
        failed or None,
        task["creator"]["name"],
        moment(task["startTime"]),
        duration(task["startTime"], task.get("finishTime")),
    )


def _done(status: str, done: int, size: int) -> str | None:
    """Return how far a task is; one that ended well with nothing done was rolled back."""
    if not size:
        return None
    return "undone" if status == "SUCCESSFUL" and not done else f"{100 * done // size} %"


@cli.command("show", help="Show a task: its steps, the hosts that failed, and why.")
def show(
    task: TaskId,
    *,
    everything: Annotated[bool, typer.Option("--all", help=f"the reason of every failure, not of {SHOWN}")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a task."""

    async def read(client: Client) -> tuple[Document, list[Document]]:
        found = await read_task(client, task)
        failures = await read_failures(client, found, None if everything else SHOWN)
        if not as_json:
            tell(found, failures)
        return found, [failure.document() for failure in failures]

    found, failures = use.run(read)
    if as_json:
        output.show_json(found | {"failures": failures})


@cli.command("follow", help="Watch a task to its end. Ctrl-C asks whether to leave it running or to cancel it.")
def follow(task: TaskId, *, as_json: AsJson = False) -> None:
    """Follow a task."""
    raise typer.Exit(end_of(task, as_json=as_json))


@cli.command("log", help="Show what was done: in one subtask, or on a host.")
def log(
    task: TaskId,
    subtask: Annotated[int | None, typer.Argument(metavar="[SUBTASK]", min=1, help="the subtask's id")] = None,
    *,
    host: OfHosts = None,
    run: Annotated[int | None, typer.Option("--run", min=1, help="this run alone, from 1")] = None,
    as_json: AsJson = False,
) -> None:
    """Show logs."""
    if subtask is None and not host:
        raise InvalidRequest("SUBTASK", None, f"Which log of task {task}? Name a host with --host, or a subtask.")
    ids = [] if subtask is None else [subtask]
    logs = use.run(lambda client: _logs(client, task, ids, host or (), run))
    if as_json:
        output.show_json(logs)
        return
    for number, one in enumerate(logs):
        where = f" on {one['host']}" if one["host"] else ""
        output.say(f"{chr(10) * bool(number)}== subtask {one['subtaskId']}, {one['step']}{where}: {one['status']}")
        output.say(one["log"] or "(nothing yet)")


async def _logs(
    client: Client, task_id: int, ids: Sequence[int], words: Sequence[str], run: int | None
) -> list[Document]:
    task, hosts = await read_task(client, task_id), await read_hosts(client, task_id)
    meant = subtasks_of(task, hosts, words, ids)
    if not ids:  # of a host only what was run, and where one run is asked for, only what was run so often
        meant = [one for one in meant if "startTime" in one and one["runTime"] >= (run or 1)]
    path = f"/tasks/instances/{task_id}/subtasks"
    texts = await asyncio.gather(*(client.get(f"{path}/{one['id']}/log", runTime=run) for one in meant))
    return [_log_document(one, hosts, text["log"]) for one, text in zip(meant, texts, strict=True)]


def _log_document(subtask: Document, hosts: Mapping[int, Named], text: str) -> Document:
    host = host_of(subtask, hosts)
    return {
        "subtaskId": subtask["id"],
        "step": subtask["name"],
        "host": host.name if host else None,
        "status": subtask["status"],
        "log": text,
    }


course.register(cli)
archive.register(cli)
