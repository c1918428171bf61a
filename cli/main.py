"""The command line: `ocpfleet`."""

import sys

from cli.commands.processes.servers import SERVERS
from core.errors import FleetError


def main() -> None:
    """Run a command. Exits as `cli.exits.Exit` says.

    A process that runs until it is stopped begins at once, without the other commands and what they import: it would
    keep that for as long as it runs.
    """
    try:
        match sys.argv[1:]:
            case [name] if name in SERVERS:
                SERVERS[name]()
            case _:
                _run_command()
    except FleetError as error:
        sys.exit(_told(error))


def _run_command() -> None:
    from cli.commands.root import cli

    cli()


def _told(error: FleetError) -> int:
    from rich.console import Console

    from cli.exits import exit_of
    from cli.output import clean

    Console(stderr=True, highlight=False, soft_wrap=True).print(clean(error.sentence), style="red", markup=False)
    return exit_of(error)
