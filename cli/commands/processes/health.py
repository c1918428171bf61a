"""`ocpfleet health`: checks a process of this machine, for a supervisor's health checks."""

import socket
from enum import StrEnum
from typing import Annotated, Final

import httpx
import typer

from cli import output
from cli.direct_store import run
from core.errors import Unavailable
from infra.settings import ApiSettings, FlowerSettings, load_settings
from infra.store import Store

MAX_SECONDS: Final = 5.0
"""Seconds until an answer must be there."""
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class Process(StrEnum):
    """A kind of process, with the meaning of healthy."""

    API = "api"
    """It answers."""
    WORKER = "worker"
    """At least one worker of this machine beats."""
    FLOWER = "flower"
    """It answers."""


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("health", help="Exit with 0 if a process of this machine is healthy, otherwise with 1 and a message.")(
        _health
    )


def _health(process: Annotated[Process, typer.Argument(help="the kind of process")]) -> None:
    match process:
        case Process.API:
            api = load_settings(ApiSettings)
            _check_http(api.api_host, api.api_port, "/healthz")
        case Process.FLOWER:
            flower = load_settings(FlowerSettings)
            _check_http(flower.flower_host, flower.flower_port, "/healthcheck")
        case Process.WORKER:
            run(_check_workers)
    output.say(f"{process}: ok")


def _check_http(host: str, port: int, path: str) -> None:
    url = f"http://{_LOOPBACK.get(host, host)}:{port}{path}"
    try:
        httpx.get(url, timeout=MAX_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer as it should: {error}. See the log of the process.") from None


async def _check_workers(store: Store) -> None:
    here = f"@{socket.gethostname()}"
    if not any(worker.name.endswith(here) for worker in await store.workers.alive()):
        raise Unavailable(f"No worker of this machine ({here}) is alive. See the log of the worker.")
