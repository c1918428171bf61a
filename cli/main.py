"""The command line: `ocpfleet`."""

import sys
from typing import Final

import typer
from rich.console import Console

from cli import accesskeys, health, hosts, processes, settings, users
from core.errors import FleetError, InvalidRequest, Misconfigured

_FAILED: Final = 1
_MISUSED: Final = 2

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stop the OCP agents of a whole fleet of hosts. Settings are read from OCPFLEET_* variables.",
)
processes.register(cli)
health.register(cli)
settings.register(cli)
cli.add_typer(hosts.cli, name="hosts")
cli.add_typer(users.cli, name="user")
cli.add_typer(accesskeys.cli, name="key")


def main() -> None:
    """Run a command. Exits with 1 where it failed, and with 2 where it was asked for wrongly."""
    try:
        cli()
    except FleetError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(error.sentence, style="red", markup=False)
        sys.exit(_MISUSED if isinstance(error, InvalidRequest | Misconfigured) else _FAILED)
