"""`ocpfleet hosts`: the inventory. What brings hosts in works on the store; the rest asks the API."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli import direct_store as session
from cli.commands.hosts import host_keys as hostkeys
from cli.commands.hosts import manage as fleet
from cli.commands.hosts.files import read_rows
from cli.commands.hosts.inventory import Inventory, Problem, checked
from cli.commands.hosts.trust import trust_hosts
from core.chunks import chunks
from core.claim import Protected
from core.errors import InvalidRequest, Unavailable
from infra.clock import now
from infra.settings import InventorySettings, load
from infra.store.base import CHUNK, Store

cli = typer.Typer(no_args_is_help=True, help="The inventory: which hosts there are and how they are reached.")
_SHOWN: Final = 50


@cli.command(
    "import", help="Add hosts, or change how known ones are reached. Where a line is bad, nothing is imported."
)
def import_file(file: Annotated[Path, typer.Argument(help="an inventory: .csv, .yaml or .yml")]) -> None:
    """Import an inventory file."""
    added, changed = session.run(lambda store: _import(store, file))
    session.OUT.print(
        f"Imported {added + changed} hosts from {file}: {added} new, {changed} known before.", markup=False
    )


async def _import(store: Store, file: Path) -> tuple[int, int]:
    inventory = checked(read_rows(file), load(InventorySettings), await store.hosts.aliases(), hostkeys.fingerprint)
    if inventory.problems:
        raise InvalidRequest("FILE", str(file), _told(file, inventory.problems))
    await _refuse_held(store, file, inventory)
    unknown = await store.hosts.unknown([entry.target.host_id for entry in inventory.entries])
    await store.hosts.put(inventory.entries, now())
    await _protect(store, inventory)
    await session.audited(store, "hosts import", {"file": file.name, "hosts": str(len(inventory.entries))})
    return len(unknown), len(inventory.entries) - len(unknown)


async def _refuse_held(store: Store, file: Path, inventory: Inventory) -> None:
    """See that the hosts that the file protects are free.

    Raises:
        InvalidRequest: a task holds some of them; nothing was imported.
    """
    found = await store.hosts.get([host_id for host_id, protected in inventory.protection.items() if protected])
    held = [f"{host_id} (by task {host.holder})" for host_id, host in found.items() if host.holder is not None]
    if held:
        sentence = (
            f"Nothing was imported from {file}: it protects hosts that tasks hold: {', '.join(held[:_SHOWN])}. "
            "Wait for those tasks to end, or leave the column protected empty there."
        )
        raise InvalidRequest("protected", "true", sentence)


async def _protect(store: Store, inventory: Inventory) -> None:
    for wanted in (True, False):
        host_ids = [host_id for host_id, protected in inventory.protection.items() if protected is wanted]
        for chunk in chunks(host_ids, CHUNK):
            if not wanted:
                await store.hosts.unprotect(chunk, now())
            elif not isinstance(answer := await store.hosts.protect(chunk, now()), Protected):
                raise Unavailable(
                    f"The hosts were imported, but not all are protected: host {answer.host_id} was taken meanwhile. "
                    "Import the file again."
                )


def _told(file: Path, problems: tuple[Problem, ...]) -> str:
    lines = [str(problem) for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"… and {len(problems) - _SHOWN} more")
    return "\n".join([f"Nothing was imported from {file}:", *lines])


@cli.command("trust", help="Fetch the hosts' SSH keys, show their fingerprints, and pin them.")
def trust(
    host_ids: Annotated[list[int], typer.Argument(metavar="ID...", help="the hosts")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="pin without asking; for scripts that know the network")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="seconds to wait for one host")] = 10.0,
) -> None:
    """Pin the keys that hosts show."""
    complete = session.run(lambda store: trust_hosts(store, tuple(dict.fromkeys(host_ids)), timeout, ask=not yes))
    if not complete:
        raise typer.Exit(1)


fleet.register(cli)
