"""`ocpfleet health`: whether a process of this machine is well, for the health checks of a supervisor."""

import socket
from enum import StrEnum
from typing import Annotated, Final

import httpx
import typer

from cli.direct_store import OUT, run
from core.errors import Unavailable
from infra.settings import ApiSettings, FlowerSettings, load
from infra.store.base import Store

_LIMIT: Final = 5.0
"""Seconds that an answer may take."""
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class Process(StrEnum):
    """What can be asked."""

    API = "api"
    """It answers."""
    WORKER = "worker"
    """One of this machine beats."""
    FLOWER = "flower"
    """It answers."""


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("health", help="Exit with 0 if the process of this machine is well, with 1 and a sentence if not.")(
        _health
    )


def _health(process: Annotated[Process, typer.Argument(help="which one")]) -> None:
    match process:
        case Process.API:
            api = load(ApiSettings)
            _answers(api.api_host, api.api_port, "/healthz")
        case Process.FLOWER:
            flower = load(FlowerSettings)
            _answers(flower.flower_host, flower.flower_port, "/healthcheck")
        case Process.WORKER:
            run(_beats)
    OUT.print(f"{process}: ok")


def _answers(host: str, port: int, path: str) -> None:
    url = f"http://{_ANYWHERE.get(host, host)}:{port}{path}"
    try:
        httpx.get(url, timeout=_LIMIT).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer as it should: {error}. Look at the process's log.") from None


async def _beats(store: Store) -> None:
    here = f"@{socket.gethostname()}"
    if not any(worker.name.endswith(here) for worker in await store.workers.alive()):
        raise Unavailable(f"No worker of this machine ({here}) is alive in the record. Look at the worker's log.")
