"""`ocpfleet hosts import`: an inventory file into the store."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli import direct_store, output
from cli.commands.hosts import host_keys
from cli.commands.hosts.files import read_rows
from cli.commands.hosts.inventory import Inventory, Problem, check_rows
from core.chunks import chunks
from core.claim import Protected
from core.errors import InvalidRequest, Unavailable
from infra.clock import now
from infra.settings import InventorySettings, load_settings
from infra.store import Store
from infra.store.values import CHUNK

MAX_PROBLEMS: Final = 50
"""Problems that a message lists."""


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command(
        "import",
        help="Add hosts, or change how known hosts are reached. If one line is wrong, nothing is imported.",
    )(_import_file)


def _import_file(file: Annotated[Path, typer.Argument(help="an inventory: .csv, .yaml or .yml")]) -> None:
    added, changed = direct_store.run(lambda store: _import(store, file))
    output.say(f"Imported {added + changed} hosts from {file}: {added} new, {changed} known before.")


async def _import(store: Store, file: Path) -> tuple[int, int]:
    """Return the number of new hosts and of hosts that were in the inventory before."""
    aliases = await store.hosts.aliases()
    inventory = check_rows(read_rows(file), load_settings(InventorySettings), aliases, host_keys.fingerprint)
    if inventory.problems:
        raise InvalidRequest("FILE", str(file), _describe(file, inventory.problems))
    await _check_free(store, file, inventory)
    unknown = await store.hosts.unknown([entry.target.host_id for entry in inventory.entries])
    await store.hosts.put(inventory.entries, now())
    await _protect(store, inventory)
    fields = {"file": file.name, "hosts": str(len(inventory.entries))}
    await direct_store.record_audit(store, "hosts import", fields)
    return len(unknown), len(inventory.entries) - len(unknown)


async def _check_free(store: Store, file: Path, inventory: Inventory) -> None:
    """Check that no task holds a host that the file protects.

    Raises:
        InvalidRequest: a task holds some of them; nothing was imported.
    """
    found = await store.hosts.get([host_id for host_id, protected in inventory.protection.items() if protected])
    held = [f"{host_id} (by task {host.holder})" for host_id, host in found.items() if host.holder is not None]
    if held:
        sentence = (
            f"Nothing was imported from {file}: it protects hosts that tasks hold: {', '.join(held[:MAX_PROBLEMS])}. "
            "Wait until those tasks end, or leave the column protected empty for these hosts."
        )
        raise InvalidRequest("protected", "true", sentence)


async def _protect(store: Store, inventory: Inventory) -> None:
    for protect in (True, False):
        host_ids = [host_id for host_id, protected in inventory.protection.items() if protected is protect]
        for chunk in chunks(host_ids, CHUNK):
            if not protect:
                await store.hosts.unprotect(chunk, now())
            elif not isinstance(answer := await store.hosts.protect(chunk, now()), Protected):
                raise Unavailable(
                    f"The hosts were imported, but not all are protected: a task took host {answer.host_id} meanwhile. "
                    "Import the file again."
                )


def _describe(file: Path, problems: tuple[Problem, ...]) -> str:
    lines = [str(problem) for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"… and {len(problems) - MAX_PROBLEMS} more")
    return "\n".join([f"Nothing was imported from {file}:", *lines])
