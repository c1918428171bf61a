"""`ocpfleet user`: who may use the API."""

import re
import sys
from typing import Annotated, Final

import typer

from app.auth.passwords import LONGEST, Argon2, generated
from cli import session
from core.errors import InvalidRequest
from core.user import Role, User
from infra.store.base import Store

cli = typer.Typer(no_args_is_help=True, help="The users of the API.")
_NAME: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_SHORTEST: Final = 8


@cli.callback()
def _group() -> None:
    """Keep `user` a group while it has a single command."""


@cli.command(
    "add", help="Add a user. Its password is asked for, read from standard input, or generated and shown once."
)
def add(
    name: Annotated[str, typer.Argument(help="letters, digits and . _ @ -")],
    role: Annotated[list[Role], typer.Option(help="what the user may do; may be given several times")],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read it from standard input")] = False,
) -> None:
    """Add a user."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("NAME", name, f"{name!r} is not a user name. Write up to 64 letters, digits and . _ @ -")
    given = _given(from_stdin=password_stdin)
    password = given or generated()
    _add(name, password, role)
    session.OUT.print(f"Added {name} with {', '.join(sorted(set(role)))}.", markup=False)
    if not given:
        session.OUT.print(f"Password, shown once: {password}", markup=False)


def _given(*, from_stdin: bool) -> str | None:
    """Return the password that a person or a script gave; None asks for a generated one."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password (empty: generate one)", default="", hide_input=True, show_default=False)
        if not password:
            return None
        if typer.prompt("Again", hide_input=True) != password:
            raise InvalidRequest("password", None, "The two passwords differ. Nothing was done.")
    else:
        return None
    if not _SHORTEST <= len(password) <= LONGEST:
        raise InvalidRequest("password", None, f"A password has {_SHORTEST} to {LONGEST} characters. Nothing was done.")
    return password


def _add(name: str, password: str, roles: list[Role]) -> None:
    user = User(0, name, Argon2().hashed(password), frozenset(roles))

    async def put(store: Store) -> bool:
        return await store.users.put(user)

    if not session.run(put):
        raise InvalidRequest("NAME", name, f"There is a user {name} already. Nothing was done; choose another name.")
