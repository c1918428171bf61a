"""All commands of `ocpfleet`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import backup, brake
from cli.commands.agents import control
from cli.commands.hosts import group as hosts
from cli.commands.iam import access_keys, users
from cli.commands.processes import group as processes
from cli.commands.processes import health, settings
from cli.commands.task import group as tasks
from cli.remote import api as remote
from cli.remote.sources import Flags

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stop, restart and start the OCP agents of a whole fleet of hosts. Settings are OCPFLEET_* variables.",
    epilog="Exit codes: 0 done; 1 refused or failed; 2 wrong command line or setting; 3 the API does not answer; "
    "4 not permitted; 5 left running after Ctrl-C.",
)
control.register(cli)
cli.add_typer(tasks.cli, name="task")
cli.add_typer(hosts.cli, name="hosts")
cli.add_typer(users.cli, name="user")
cli.add_typer(access_keys.cli, name="key")
cli.add_typer(brake.cli, name="brake")
backup.register(cli)
processes.register(cli)
health.register(cli)
settings.register(cli)


@cli.callback()
def configure(
    api: Annotated[str | None, typer.Option(metavar="URL", help="the API's address")] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="your user; the password is asked for")] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a file with the password of --user")
    ] = None,
) -> None:
    """Set the API for the command."""
    remote.configure(Flags(api, user, password_file))
