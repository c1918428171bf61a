"""The entry point of `ocpfleet`."""

import sys

from cli.commands.processes.servers import SERVERS
from core.errors import FleetError


def main() -> None:
    """Run a command. Exits with one of the codes of `cli.exits.Exit`.

    A long-running process starts at once, without importing the other commands: it would keep their memory for as
    long as it runs.
    """
    try:
        match sys.argv[1:]:
            case [name] if name in SERVERS:
                SERVERS[name]()
            case _:
                _run_command()
    except FleetError as error:
        sys.exit(_report(error))


def _run_command() -> None:
    from cli.commands.root import cli

    cli()


def _report(error: FleetError) -> int:
    """Print an error's sentence in red, and return the exit code."""
    from rich.console import Console

    from cli.exits import to_exit
    from cli.output import escape_controls

    text = escape_controls(error.sentence)
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style="red", markup=False)
    return to_exit(error)
