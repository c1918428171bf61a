"""`ocpfleet api`, `worker`, `redis` and `flower`: processes that run until they are stopped."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.processes.servers import SERVERS


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("api", help="Run the API until stopped.")(SERVERS["api"])
    cli.command("worker", help="Run a worker until stopped.")(SERVERS["worker"])
    cli.command("redis", help="Run the embedded store on 127.0.0.1 until stopped.")(_redis)
    cli.command("flower", help="Run Flower, a web page about the workers and their Celery tasks, until stopped.")(
        SERVERS["flower"]
    )


def _redis(
    port: Annotated[int, typer.Option(help="the port to listen on")] = 6379,
    directory: Annotated[Path, typer.Option(help="the directory of its append-only file")] = Path("var/redis"),
) -> None:
    from infra.embedded import prepare

    command = prepare(directory, port)
    os.execv(command[0], command)
