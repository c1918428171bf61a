"""`ocpfleet hosts`: the group of commands about the inventory. `import` and `trust` work on the store directly."""

import typer

from cli.commands.hosts import change, import_file, show, trust

cli = typer.Typer(no_args_is_help=True, help="The inventory: which hosts there are, and how they are reached.")
import_file.register(cli)
trust.register(cli)
show.register(cli)
change.register(cli)
