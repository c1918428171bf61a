"""`ocpfleet hosts`: the inventory. What brings hosts in works on the store; the rest asks the API."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli import fleet, hostkeys, session
from cli.files import read_rows
from cli.inventory import Problem, checked
from cli.trust import trust_hosts
from core.errors import InvalidRequest
from infra.clock import now
from infra.settings import InventorySettings, load
from infra.store.base import Store

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
    unknown = await store.hosts.unknown([entry.target.host_id for entry in inventory.entries])
    await store.hosts.put(inventory.entries, now())
    await session.audited(store, "hosts import", {"file": file.name, "hosts": str(len(inventory.entries))})
    return len(unknown), len(inventory.entries) - len(unknown)


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
