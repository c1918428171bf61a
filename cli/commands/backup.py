"""`ocpfleet backup` and `ocpfleet restore`: write the store's record to a file, and read it back."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import direct_store, output
from cli.output import Yes, format_count
from core.brake import Brake
from infra.clock import now
from infra.settings import SharedSettings, load_settings
from infra.store import Store
from infra.store.backup.backup import Restore, back_up, restore
from infra.store.backup.backupfile import Contents, verify
from infra.store.store import client_at

_NewFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="a new file; its folder needs room for everything in the store")
]
_BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="a file written by `ocpfleet backup`")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("backup", help="Write the record, as it is at one moment, to a file. All processes may go on running.")(
        _backup
    )
    cli.command("restore", help="Read a backup into an empty store. Stop all workers and APIs first.")(_restore)


def _backup(file: _NewFile) -> None:
    contents = asyncio.run(_write_backup(file))
    output.say(f"Backed up {_describe(contents)} into {file}.")
    output.say(f"SHA-256 of its contents: {contents.sha256}")


async def _write_backup(file: Path) -> Contents:
    settings = load_settings(SharedSettings)
    client = client_at(settings.redis_url, settings.store_options)
    try:
        contents = await back_up(client, file, now())
    finally:
        await client.aclose()
    async with direct_store.connect() as store:
        await direct_store.record_audit(store, "backup", {"file": file.name, "sha256": contents.sha256})
    return contents


def _restore(
    file: _BackupFile,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="only check that the file is complete; do not touch the store")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="first remove the record in the store")] = False,
    no_brake: Annotated[
        bool, typer.Option("--no-brake", help="let workers begin as soon as they start, without the fleet's brake")
    ] = False,
    yes: Yes = False,
) -> None:
    contents = verify(file)
    if check:
        output.say(f"{file} is complete: {_describe(contents)}.")
        return
    if replace:
        output.confirm(f"Remove the record in the store, and restore {_describe(contents)}?", yes=yes)
    brake = (
        None
        if no_brake
        else Brake("ocpfleet restore", now(), f"restored from {file.name}: check it before anything runs")
    )
    asyncio.run(_read_backup(Restore(file, now(), replace, brake)))
    output.say(f"Restored {_describe(contents)}.")
    if brake:
        output.say("The fleet's brake is on. Start the APIs and workers, check the tasks, then: ocpfleet brake release")


async def _read_backup(order: Restore) -> None:
    settings = load_settings(SharedSettings)
    client = client_at(settings.redis_url, settings.store_options)
    try:
        contents = await restore(client, order)
        store = Store(client, settings.store_options)
        await direct_store.record_audit(store, "restore", {"file": order.path.name, "sha256": contents.sha256})
    finally:
        await client.aclose()


def _describe(contents: Contents) -> str:
    moment = datetime.fromtimestamp(contents.at / 1000, tz=UTC).astimezone()
    return (
        f"{format_count(contents.tasks, 'task')}, {format_count(contents.hosts, 'host')} and "
        f"{format_count(contents.keys, 'key')} as of {moment:%Y-%m-%d %H:%M:%S}"
    )
