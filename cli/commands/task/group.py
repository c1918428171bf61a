"""`ocpfleet task`: the group of commands about tasks, with `show` and `follow`."""

from typing import Annotated

import typer

from cli import output
from cli.commands.task import course, diagnosis, listing, log
from cli.commands.task.course import TaskId
from cli.commands.task.follow import follow_to_end
from cli.commands.task.report import MAX_REASONS, read_failures, read_task, report
from cli.output import AsJson, Document
from cli.remote import api as remote
from cli.remote.client import Client

cli = typer.Typer(no_args_is_help=True, help="Tasks: look at them, follow them, and change their course.")
listing.register(cli)


@cli.command("show", help="Show a task: its steps, the hosts that failed, and why.")
def show(
    task: TaskId,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help=f"show the reason of every failure, not only of {MAX_REASONS}")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a task."""

    async def read(client: Client) -> tuple[Document, list[Document]]:
        found = await read_task(client, task)
        failures = await read_failures(client, found, None if everything else MAX_REASONS)
        if not as_json:
            report(found, failures)
        return found, [failure.to_document() for failure in failures]

    found, failures = remote.run(read)
    if as_json:
        output.show_json(found | {"failures": failures})


@cli.command("follow", help="Watch a task to its end. Ctrl-C asks whether to leave it running or to cancel it.")
def follow(task: TaskId, *, as_json: AsJson = False) -> None:
    """Follow a task."""
    raise typer.Exit(follow_to_end(task, as_json=as_json))


log.register(cli)
course.register(cli)
diagnosis.register(cli)
