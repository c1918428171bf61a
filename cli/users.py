"""`ocpfleet user`: who may use the API."""

import re
import sys
from dataclasses import replace
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from app.auth.passwords import LONGEST, Argon2, generated
from cli import session
from cli.people import change, found, is_last_admin
from core.errors import InvalidRequest
from core.user import Role, User
from infra.store.base import Store

cli = typer.Typer(
    no_args_is_help=True,
    help="The users of the API. The API goes by what it knew of a user for up to a minute after a change.",
)
_NAME: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_SHORTEST: Final = 8

Name = Annotated[str, typer.Argument(metavar="NAME", help="of the user")]
Roles = Annotated[list[Role], typer.Option("--role", help="what the user may do; may be given several times")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="read it from standard input")]


@cli.command(
    "add", help="Add a user. Its password is asked for, read from standard input, or generated and shown once."
)
def add(
    name: Annotated[str, typer.Argument(help="letters, digits and . _ @ -")],
    role: Roles,
    *,
    password_stdin: FromStdin = False,
) -> None:
    """Add a user."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("NAME", name, f"{name!r} is not a user name. Write up to 64 letters, digits and . _ @ -")
    given = _given(from_stdin=password_stdin)
    password = given or generated()
    user = User(0, name, Argon2().hashed(password), frozenset(role))
    session.run(lambda store: _add(store, user))
    session.OUT.print(f"Added {name} with {_listed(user)}.", markup=False)
    _show(password, given)


async def _add(store: Store, user: User) -> None:
    if not await store.users.put(user):
        raise InvalidRequest(
            "NAME", user.name, f"There is a user {user.name} already. Nothing was done; choose another name."
        )
    await session.audited(store, f"user add {user.name}", {"roles": _listed(user)})


@cli.command("list", help="List the users, their roles and how many access keys they have.")
def list_users() -> None:
    """List the users."""

    async def read(store: Store) -> Table:
        keys = [(key.user, key.user_id) for key in await store.access_keys.all()]
        table = Table("id", "name", "roles", "access keys", box=None, header_style="bold")
        for user in await store.users.all():
            cells = (str(user.id), user.name, _listed(user), str(keys.count((user.name, user.id))))
            table.add_row(*map(escape, cells))
        return table

    session.OUT.print(session.run(read))


@cli.command("remove", help="Remove a user and its access keys.")
def remove(name: Name) -> None:
    """Remove a user."""

    async def taken_away(store: Store) -> int:
        user = await found(store, name)
        if await is_last_admin(store, user):
            raise InvalidRequest("NAME", name, f"{name} is the last user with the role ADMIN. Nothing was done.")
        await store.users.remove(name)
        keys = [key.id for key in await store.access_keys.all() if key.user == name]
        for key in keys:
            await store.access_keys.remove(key)
        await session.audited(store, f"user remove {name}", {"accessKeys": ", ".join(keys)} if keys else {})
        return len(keys)

    removed = session.run(taken_away)
    session.OUT.print(f"Removed {name} and {removed} access keys.", markup=False)


@cli.command("password", help="Change a user's password: asked for, read from standard input, or generated.")
def password(name: Name, *, password_stdin: FromStdin = False) -> None:
    """Change a password."""
    session.run(lambda store: found(store, name))
    given = _given(from_stdin=password_stdin)
    new = given or generated()
    password_hash = Argon2().hashed(new)

    async def put(store: Store) -> None:
        user = await found(store, name)
        await change(store, user, replace(user, password_hash=password_hash))
        await session.audited(store, f"user password {name}", {})

    session.run(put)
    session.OUT.print(f"Changed the password of {name}.", markup=False)
    _show(new, given)


@cli.command("roles", help="Give a user other roles, in place of those that it has.")
def roles(name: Name, role: Roles) -> None:
    """Change a user's roles."""

    async def put(store: Store) -> User:
        user = await found(store, name)
        if Role.ADMIN not in role and await is_last_admin(store, user):
            raise InvalidRequest("--role", None, f"{name} is the last user with the role ADMIN. Nothing was done.")
        changed = replace(user, roles=frozenset(role))
        await change(store, user, changed)
        await session.audited(store, f"user roles {name}", {"roles": _listed(changed)})
        return changed

    session.OUT.print(f"{name} has {_listed(session.run(put))} now.", markup=False)


def _listed(user: User) -> str:
    return ", ".join(sorted(user.roles))


def _show(password: str, given: str | None) -> None:
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
