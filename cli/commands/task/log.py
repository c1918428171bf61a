"""`ocpfleet task log`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from cli import output
from cli.commands.task.course import OfHosts, TaskId
from cli.commands.task.report import find_host, read_hosts, read_task
from cli.commands.task.select import select_subtasks
from cli.host_names import HostName
from cli.output import AsJson, Document
from cli.remote import api as remote
from cli.remote.client import Client
from core.errors import InvalidRequest


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("log", help="Show the log of a subtask, or all logs of a host.")(_log)


def _log(
    task: TaskId,
    subtask: Annotated[int | None, typer.Argument(metavar="[SUBTASK]", min=1, help="the subtask's id")] = None,
    *,
    host: OfHosts = None,
    run: Annotated[int | None, typer.Option("--run", min=1, help="only this run, from 1")] = None,
    as_json: AsJson = False,
) -> None:
    if subtask is None and not host:
        raise InvalidRequest("SUBTASK", None, f"Which log of task {task}? Name a host with --host, or a subtask.")
    ids = [] if subtask is None else [subtask]
    logs = remote.run(lambda client: _read_logs(client, task, ids, host or (), run))
    if as_json:
        output.show_json(logs)
        return
    for number, one in enumerate(logs):
        where = f" on {one['host']}" if one["host"] else ""
        output.say(f"{chr(10) * bool(number)}== subtask {one['subtaskId']}, {one['step']}{where}: {one['status']}")
        output.say(one["log"] or "(nothing yet)")


async def _read_logs(
    client: Client, task_id: int, ids: Sequence[int], words: Sequence[str], run: int | None
) -> list[Document]:
    task, hosts = await read_task(client, task_id), await read_hosts(client, task_id)
    selected = select_subtasks(task, hosts, words, ids)
    if not ids:  # of a host, leave out subtasks that have not run, or that have not run as often as `run` says
        selected = [one for one in selected if "startTime" in one and one["runTime"] >= (run or 1)]
    path = f"/tasks/instances/{task_id}/subtasks"
    texts = await asyncio.gather(*(client.get(f"{path}/{one['id']}/log", runTime=run) for one in selected))
    return [_to_document(one, hosts, text["log"]) for one, text in zip(selected, texts, strict=True)]


def _to_document(subtask: Document, hosts: Mapping[int, HostName], text: str) -> Document:
    host = find_host(subtask, hosts)
    return {
        "subtaskId": subtask["id"],
        "step": subtask["name"],
        "host": host.label if host else None,
        "status": subtask["status"],
        "log": text,
    }
