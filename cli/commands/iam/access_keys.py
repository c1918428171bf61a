"""`ocpfleet key`: the access keys with which programs sign their requests."""

from typing import Annotated

import typer

from app.iam.access_keys import checked_description
from cli import output
from cli.commands.iam.backend import people
from cli.output import AsJson, moment

cli = typer.Typer(no_args_is_help=True, help="The access keys of the users, with which programs sign their requests.")
Direct = Annotated[
    bool,
    typer.Option(
        "--direct", help="work on the store itself, where the API runs: both use the key file of OCPFLEET_KEY_FILE"
    ),
]


@cli.command("add", help="Make an access key for a user. Its secret key is shown once and kept encrypted.")
def add(
    user: Annotated[str, typer.Argument(metavar="USER", help="whose permissions it has")],
    description: Annotated[str, typer.Option(help="what it is for")] = "",
    *,
    direct: Direct = False,
    as_json: AsJson = False,
) -> None:
    """Make an access key."""
    made = people(direct=direct).add_key(user, checked_description(description))
    if as_json:
        output.show_json(made)
        return
    output.say(f"Added an access key of {user}.")
    output.say(f"AK: {made['accessKey']}")
    output.say(f"SK, shown once: {made['secretKey']}")


@cli.command("list", help="List the access keys, oldest first; never their secret keys.")
def list_keys(*, direct: Direct = False, as_json: AsJson = False) -> None:
    """List the access keys."""
    keys = people(direct=direct).keys()
    if as_json:
        output.show_json(keys)
        return
    rows = ((key["accessKey"], key["user"], moment(key["createTime"]), key["description"]) for key in keys)
    output.show_table(("AK", "user", "made", "description"), rows)


@cli.command("remove", help="Remove an access key: what is signed with it is refused from now on.")
def remove(key: Annotated[str, typer.Argument(metavar="AK", help="the access key")], *, direct: Direct = False) -> None:
    """Remove an access key."""
    people(direct=direct).remove_key(key)
    output.say(f"Removed the access key {key}.")
