"""`ocpfleet key`: access keys, with which programs sign their requests."""

from typing import Annotated

import typer

from app.iam.access_keys import check_description
from cli import output
from cli.commands.iam.choice import choose_backend
from cli.output import AsJson, format_time

cli = typer.Typer(no_args_is_help=True, help="The access keys of the users. Programs sign their requests with them.")
Direct = Annotated[
    bool,
    typer.Option(
        "--direct",
        help="use the store instead of the API; run it where the API runs, with its key file (OCPFLEET_KEY_FILE)",
    ),
]


@cli.command("add", help="Make an access key for a user. Its secret key is shown once and stored encrypted.")
def add(
    user: Annotated[str, typer.Argument(metavar="USER", help="the user whose permissions it has")],
    description: Annotated[str, typer.Option(help="what it is for")] = "",
    *,
    direct: Direct = False,
    as_json: AsJson = False,
) -> None:
    """Make an access key."""
    made = choose_backend(direct=direct).add_key(user, check_description(description))
    if as_json:
        output.show_json(made)
        return
    output.say(f"Added an access key of {user}.")
    output.say(f"AK: {made['accessKey']}")
    output.say(f"SK, shown once: {made['secretKey']}")


@cli.command("list", help="List the access keys, oldest first. Secret keys are never shown.")
def list_keys(*, direct: Direct = False, as_json: AsJson = False) -> None:
    """List the access keys."""
    keys = choose_backend(direct=direct).list_keys()
    if as_json:
        output.show_json(keys)
        return
    rows = ((key["accessKey"], key["user"], format_time(key["createTime"]), key["description"]) for key in keys)
    output.show_table(("AK", "user", "made", "description"), rows)


@cli.command("remove", help="Remove an access key. The API refuses requests signed with it from now on.")
def remove(key: Annotated[str, typer.Argument(metavar="AK", help="the access key")], *, direct: Direct = False) -> None:
    """Remove an access key."""
    choose_backend(direct=direct).remove_key(key)
    output.say(f"Removed the access key {key}.")
