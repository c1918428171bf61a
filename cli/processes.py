"""The commands that run until they are stopped. Each imports only its own process, which keeps the others quick."""

import os
from pathlib import Path
from typing import Annotated

import typer


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("api", help="Answer HTTP requests until stopped.")(_api)
    cli.command("worker", help="Work on hosts until stopped.")(_worker)
    cli.command("redis", help="Run the embedded store on 127.0.0.1 until stopped.")(_redis)
    cli.command("flower", help="Show the workers and their tasks on a web page until stopped.")(_flower)


def _api() -> None:
    from app.main import serve  # noqa: PLC0415 - the API alone needs it
    from infra.settings import ApiSettings, load  # noqa: PLC0415

    serve(load(ApiSettings))


def _worker() -> None:
    from workers.main import run  # noqa: PLC0415 - the worker alone needs it

    run()


def _redis(
    port: Annotated[int, typer.Option(help="the port to listen on")] = 6379,
    directory: Annotated[Path, typer.Option(help="where its append-only file goes")] = Path("var/redis"),
) -> None:
    from infra.embedded import prepare  # noqa: PLC0415 - the embedded store alone needs it

    command = prepare(directory, port)
    os.execv(command[0], command)  # noqa: S606 - to become the server is the point, and it is our own list


def _flower() -> None:
    from infra.flower import run  # noqa: PLC0415 - Flower alone needs it

    run()
