"""`ocpfleet backup` and `ocpfleet restore`: the record into a file and back. They work on the store itself."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import direct_store as session
from cli import output
from cli.output import Yes
from core.brake import Brake
from infra.clock import now
from infra.settings import SharedSettings, load
from infra.store.backupfile import Contents, checked
from infra.store.redis.backup import Restore, back_up, restore
from infra.store.redis.store import RedisStore, client_at

_New = Annotated[Path, typer.Argument(metavar="FILE", help="a new file; its folder needs room for all the store holds")]
_Known = Annotated[Path, typer.Argument(metavar="FILE", help="what `ocpfleet backup` wrote")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("backup", help="Write the record, as it is at one moment, into a file. Everything may run.")(_backup)
    cli.command("restore", help="Read a backup into an empty store. Stop all workers and APIs first.")(_restore)


def _backup(file: _New) -> None:
    contents = asyncio.run(_backed_up(file))
    output.say(f"Backed up {_told(contents)} into {file}.")
    output.say(f"SHA-256 of its contents: {contents.sha256}")


async def _backed_up(file: Path) -> Contents:
    settings = load(SharedSettings)
    client = client_at(settings.redis_url, settings.store_options)
    try:
        contents = await back_up(client, file, now())
    finally:
        await client.aclose()
    async with session.opened() as store:
        await session.audited(store, "backup", {"file": file.name, "sha256": contents.sha256})
    return contents


def _restore(
    file: _Known,
    *,
    check: Annotated[bool, typer.Option("--check", help="only see that the file is whole; touch no store")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="remove the record that is in the store")] = False,
    no_brake: Annotated[bool, typer.Option("--no-brake", help="let workers begin as soon as they start")] = False,
    yes: Yes = False,
) -> None:
    contents = checked(file)
    if check:
        output.say(f"{file} is whole: {_told(contents)}.")
        return
    if replace:
        output.confirm(f"Remove the record in the store, and restore {_told(contents)}?", yes=yes)
    brake = None if no_brake else Brake("ocpfleet restore", now(), f"restored from {file.name}: look first")
    asyncio.run(_restored(Restore(file, now(), replace, brake)))
    output.say(f"Restored {_told(contents)}.")
    if brake:
        output.say("The fleet's brake is on. Start APIs and workers, look at the tasks, then: ocpfleet brake release")


async def _restored(wanted: Restore) -> None:
    settings = load(SharedSettings)
    client = client_at(settings.redis_url, settings.store_options)
    try:
        contents = await restore(client, wanted)
        store = RedisStore(client, settings.store_options)
        await session.audited(store, "restore", {"file": wanted.path.name, "sha256": contents.sha256})
    finally:
        await client.aclose()


def _told(contents: Contents) -> str:
    taken = datetime.fromtimestamp(contents.at / 1000, tz=UTC).astimezone()
    return (
        f"{output.counted(contents.tasks, 'task')}, {output.counted(contents.hosts, 'host')} and "
        f"{output.counted(contents.keys, 'key')} as of {taken:%Y-%m-%d %H:%M:%S}"
    )
