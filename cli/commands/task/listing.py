"""`ocpfleet task list`."""

from typing import Annotated, Final

import typer

from cli import output
from cli.commands.task.progress import WAIT_NODE, read_steps
from cli.host_names import choose_hosts, read_host_names
from cli.output import AsJson, Document, format_duration, format_time
from cli.remote import api as remote
from cli.remote.client import PAGE, Client
from core.errors import InvalidRequest

_COLUMNS: Final = ("id", "name", "status", "hosts", "done", "failed", "by", "began", "took")


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("list", help="List the tasks, newest first.")(_list)


def _list(
    *,
    name: Annotated[str | None, typer.Option(help="only tasks whose name contains this")] = None,
    status: Annotated[str | None, typer.Option(help="RUNNING, FAILED, SUCCESSFUL; several with commas")] = None,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="only tasks for this one host; batch tasks never are")
    ] = None,
    creator: Annotated[str | None, typer.Option(help="only tasks of this user")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="MANUAL; there are no others here")] = None,
    page: Annotated[int, typer.Option(min=1, help="the page, from 1")] = 1,
    size: Annotated[int, typer.Option(min=1, max=PAGE, help="tasks per page")] = 20,
    sort: Annotated[str | None, typer.Option(help="id,desc or id,asc")] = None,
    as_json: AsJson = False,
) -> None:
    async def read(client: Client) -> Document:
        filters = {"name": name, "status": status and status.upper(), "creator": creator, "type": kind, "sort": sort}
        host_id = None if host is None else await _find_host_id(client, host)
        found: Document = await client.get("/tasks/instances", hostId=host_id, page=page, size=size, **filters)
        return found

    found = remote.run(read)
    if as_json:
        output.show_json(found)
        return
    output.show_table(_COLUMNS, map(_to_row, found["contents"]))
    place = found["page"]
    if place["totalPages"] > 1:
        output.note(f"Page {place['number']} of {place['totalPages']}: {place['totalElements']} tasks in all.")


async def _find_host_id(client: Client, word: str) -> int:
    if word.isascii() and word.isdigit():
        return int(word)
    found = choose_hosts([word], read_host_names(await client.get_all("/compute/hosts")))
    if len(found) != 1:
        raise InvalidRequest("--host", word, f"--host {word} names several hosts. Name one host.")
    return found[0].id


def _to_row(task: Document) -> tuple[object, ...]:
    steps = [step for step in read_steps(task.get("progress", [])) if step.name != WAIT_NODE]
    size, done, failed = (sum(getattr(step, name) for step in steps) for name in ("size", "done", "failed"))
    return (
        task["id"],
        task["name"],
        task["status"],
        steps[0].size if steps else None,
        _format_share(str(task["status"]), done, size),
        failed or None,
        task["creator"]["name"],
        format_time(task["startTime"]),
        format_duration(task["startTime"], task.get("finishTime")),
    )


def _format_share(status: str, done: int, size: int) -> str | None:
    """Return how much of a task is done. A task that succeeded with nothing done was rolled back."""
    if not size:
        return None
    return "undone" if status == "SUCCESSFUL" and not done else f"{100 * done // size} %"
