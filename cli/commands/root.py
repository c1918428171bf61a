"""All commands of `ocpfleet`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import backup, brake
from cli.commands.agents import control as agents
from cli.commands.hosts import group as hosts
from cli.commands.iam import access_keys as accesskeys
from cli.commands.iam import users
from cli.commands.processes import group as processes
from cli.commands.processes import health, settings
from cli.commands.task import group as tasks
from cli.remote import api as use
from cli.remote.address import Flags

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Stop, restart and start the OCP agents of a whole fleet of hosts. Settings are OCPFLEET_* variables.",
    epilog="Exit codes: 0 done; 1 refused or failed; 2 asked for wrongly; 3 the API does not answer; 4 not permitted; "
    "5 left running after Ctrl-C.",
)
agents.register(cli)
cli.add_typer(tasks.cli, name="task")
cli.add_typer(hosts.cli, name="hosts")
cli.add_typer(users.cli, name="user")
cli.add_typer(accesskeys.cli, name="key")
cli.add_typer(brake.cli, name="brake")
backup.register(cli)
processes.register(cli)
health.register(cli)
settings.register(cli)


@cli.callback()
def options(
    api: Annotated[str | None, typer.Option(metavar="URL", help="where the API is")] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="who asks; the password is asked for")] = None,
    password_file: Annotated[Path | None, typer.Option(metavar="FILE", help="with the password of --user")] = None,
) -> None:
    """Say which API the commands mean."""
    use.choose(Flags(api, user, password_file))
