"""`ocpfleet user`: the users of the API."""

import sys
from typing import Annotated

import typer

from app.iam.users import check_name, check_password
from cli import output
from cli.commands.iam.choice import choose_backend
from cli.output import AsJson, Document, Yes
from core.errors import InvalidRequest
from core.user import Role

cli = typer.Typer(
    no_args_is_help=True,
    help="The users of the API. A change takes effect within a minute.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="the user's name")]
Roles = Annotated[list[Role], typer.Option("--role", help="a role of the user; may be repeated")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input")]
Direct = Annotated[
    bool, typer.Option("--direct", help="use the store instead of the API: for when no administrator can log in")
]


@cli.command(
    "add", help="Add a user. The password is asked for, read from standard input, or generated and shown once."
)
def add(
    name: Annotated[str, typer.Argument(help="letters, digits and . _ @ -")],
    role: Roles,
    *,
    password_stdin: FromStdin = False,
    direct: Direct = False,
) -> None:
    """Add a user."""
    check_name(name)
    added = choose_backend(direct=direct).add_user(name, role, _read_password(from_stdin=password_stdin))
    output.say(f"Added {name} with {_list_roles(added)}.")
    _show_password(added)


@cli.command("list", help="List the users, their roles and how many access keys they have.")
def list_users(*, direct: Direct = False, as_json: AsJson = False) -> None:
    """List the users."""
    users = choose_backend(direct=direct).list_users()
    if as_json:
        output.show_json(users)
        return
    rows = ((user["id"], user["name"], _list_roles(user), user["accessKeys"]) for user in users)
    output.show_table(("id", "name", "roles", "access keys"), rows)


@cli.command("remove", help="Remove a user and its access keys.")
def remove(name: Name, *, direct: Direct = False, yes: Yes = False) -> None:
    """Remove a user."""
    output.confirm(f"Remove {name} and its access keys?", yes=yes)
    choose_backend(direct=direct).remove_user(name)
    output.say(f"Removed {name} and its access keys.")


@cli.command(
    "password", help="Change a user's password. It is asked for, read from standard input, or generated and shown once."
)
def password(name: Name, *, password_stdin: FromStdin = False, direct: Direct = False) -> None:
    """Change a password."""
    changed = choose_backend(direct=direct).change_password(name, _read_password(from_stdin=password_stdin))
    output.say(f"Changed the password of {name}.")
    _show_password(changed)


@cli.command("roles", help="Replace the roles of a user.")
def roles(name: Name, role: Roles, *, direct: Direct = False) -> None:
    """Change a user's roles."""
    output.say(f"{name} has {_list_roles(choose_backend(direct=direct).change_roles(name, role))} now.")


def _list_roles(user: Document) -> str:
    return ", ".join(user["roles"])


def _show_password(user: Document) -> None:
    if "password" in user:
        output.say(f"Password, shown once: {user['password']}")


def _read_password(*, from_stdin: bool) -> str | None:
    """Return the password that a person or a script gave; None to have one generated."""
    if from_stdin:
        return check_password(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        return None
    typed: str = typer.prompt("New password (empty: generate one)", default="", hide_input=True, show_default=False)
    if not typed:
        return None
    if typer.prompt("Again", hide_input=True) != typed:
        raise InvalidRequest("password", None, "The two passwords differ. Nothing was done.")
    return check_password(typed)
