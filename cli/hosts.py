"""`ocpfleet hosts`: the inventory."""

from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from app.documents.host import host_document
from cli import hostkeys, session
from cli.files import read_rows
from cli.inventory import Problem, checked
from cli.trust import trust_hosts
from core.errors import InvalidRequest
from core.host import Host
from infra.clock import now
from infra.settings import InventorySettings, load
from infra.store.base import Store

cli = typer.Typer(no_args_is_help=True, help="The inventory: which hosts there are and how they are reached.")
_SHOWN: Final = 50
_PAGE: Final = 500
_COLUMNS: Final = ("id", "alias", "address", "user", "status", "agent", "held by", "host key")


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


@cli.command("list", help="List the hosts, in id order.")
def list_hosts(
    *, as_json: Annotated[bool, typer.Option("--json", help="as one JSON list, for scripts")] = False
) -> None:
    """List the inventory."""
    hosts = session.run(_all)
    if as_json:
        session.OUT.out(orjson.dumps([host_document(host) for host in hosts], option=orjson.OPT_INDENT_2).decode())
    else:
        session.OUT.print(_table(hosts))


async def _all(store: Store) -> list[Host]:
    hosts: list[Host] = []
    while True:
        page = await store.hosts.page(len(hosts), _PAGE)
        hosts += page.hosts
        if not page.hosts or len(hosts) >= page.total:
            return hosts


def _table(hosts: list[Host]) -> Table:
    table = Table(*_COLUMNS, box=None, header_style="bold")
    for host in hosts:
        target = host.target
        held = f"task {host.holder}" if host.holder else ""
        key = "pinned" if target.host_key else "none"
        cells = (str(target.host_id), host.alias or "", target.endpoint, target.user)
        table.add_row(*map(escape, cells), host.status, host.agent_status, held, key)
    return table


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
