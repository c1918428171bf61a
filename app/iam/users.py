"""Who may use the API: to look at, add and remove users, and to change their passwords and roles.

The routes and `ocpfleet user --direct` are two ways to the same functions.
"""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from app.auth.passwords import LONGEST as LONGEST_PASSWORD
from app.auth.passwords import Passwords, generated
from core.errors import Conflict, InvalidRequest, NotFound, Unavailable
from core.text import say
from core.user import Role, User
from infra.store import Store

SHORTEST_PASSWORD: Final = 8
"""Fewest characters of a password that somebody chooses."""
NAME: Final = r"(?!\.+$)[A-Za-z0-9_.@-]{1,64}"
"""What HTTP Basic can carry and a path can hold as one segment."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A user, as lists show it."""

    user: User
    access_keys: int
    """How many of the access keys are the user's."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A user as it stands now, and its password where that was generated: the only time that it is known."""

    user: User
    password: str | None = field(default=None, repr=False)


def checked_name(name: str) -> str:
    """Return the name that a new user may have.

    Raises:
        InvalidRequest: it may not.
    """
    if not re.fullmatch(NAME, name):
        sentence = say("name: {name!r} is not a user name. Write up to 64 letters, digits and . _ @ -", name=name[:80])
        raise InvalidRequest("name", name, sentence)
    return name


def checked_password(password: str) -> str:
    """Return a password that a user may have. An error never repeats it.

    Raises:
        InvalidRequest: it is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        sentence = say(
            "password: a password has {least} to {most} characters. Nothing was done.",
            least=SHORTEST_PASSWORD,
            most=LONGEST_PASSWORD,
        )
        raise InvalidRequest("password", None, sentence)
    return password


async def list_users(store: Store) -> tuple[Listed, ...]:
    """Return the users, by name."""
    keys = [(key.user, key.user_id) for key in await store.access_keys.all()]
    return tuple(Listed(user, keys.count((user.name, user.id))) for user in await store.users.all())


async def find_user(store: Store, name: str) -> User:
    """Return a user.

    Raises:
        NotFound: there is none of that name.
    """
    user = await store.users.get(name)
    if user is None:
        raise NotFound(
            say("There is no user {name}. `ocpfleet user list` or GET /api/v2/iam/users shows them all.", name=name)
        )
    return user


async def add_user(
    store: Store, passwords: Passwords, name: str, roles: Collection[Role], password: str | None
) -> Changed:
    """Add a user.

    Args:
        store: where to.
        passwords: hashes the password.
        name: letters, digits and some signs.
        roles: what the user may do.
        password: None to have one generated.

    Raises:
        InvalidRequest: the name or the password cannot be one.
        Conflict: there is a user of that name.
    """
    checked_name(name)
    password_hash, made = await _hashed(passwords, password)
    if not await store.users.put(User(0, name, password_hash, frozenset(roles))):
        raise Conflict(say("There is a user {name} already. Nothing was done; choose another name.", name=name))
    return Changed(await find_user(store, name), made)


async def remove_user(store: Store, name: str, by: str | None = None) -> tuple[str, ...]:
    """Remove a user and its access keys; return the keys' ids.

    Args:
        store: where from.
        name: whom.
        by: the user who asks for it; None for who works on the store itself.

    Raises:
        NotFound: there is no such user.
        Conflict: it is the last one with the role ADMIN, or the one who asks.
        Unavailable: somebody else changed the user meanwhile.
    """
    user = await find_user(store, name)
    if name == by:
        raise Conflict(
            say(
                "{name} cannot remove the user that makes this request. Ask another user with the role ADMIN.",
                name=name,
            )
        )
    await _change(store, user, None)
    keys = tuple(key.id for key in await store.access_keys.all() if key.user == name)
    for key in keys:
        await store.access_keys.remove(key)
    return keys


async def change_password(store: Store, passwords: Passwords, name: str, password: str | None) -> Changed:
    """Change a user's password; None has one generated.

    Raises:
        NotFound: there is no such user.
        InvalidRequest: the password cannot be one.
        Unavailable: somebody else changed the user meanwhile.
    """
    await find_user(store, name)
    password_hash, made = await _hashed(passwords, password)
    old = await find_user(store, name)
    new = replace(old, password_hash=password_hash)
    await _change(store, old, new)
    return Changed(new, made)


async def change_roles(store: Store, name: str, roles: Collection[Role], by: str | None = None) -> User:
    """Give a user other roles in place of those that it has; return it.

    Args:
        store: where it is.
        name: whose roles.
        roles: what it may do from now on.
        by: the user who asks for it; None for who works on the store itself.

    Raises:
        NotFound: there is no such user.
        Conflict: it would be the last one with the role ADMIN that goes, or the own one of who asks.
        Unavailable: somebody else changed the user meanwhile.
    """
    old = await find_user(store, name)
    new = replace(old, roles=frozenset(roles))
    if old.loses_admin_role(new) and name == by:
        raise Conflict(
            say(
                "{name} cannot give up the role ADMIN. Ask another user with the role ADMIN to take it away.",
                name=name,
            )
        )
    await _change(store, old, new)
    return new


async def _hashed(passwords: Passwords, password: str | None) -> tuple[str, str | None]:
    """Return a password's hash, and the password where it is generated here."""
    made = generated() if password is None else None
    return await asyncio.to_thread(passwords.hashed, made or checked_password(password or "")), made


async def _change(store: Store, old: User, new: User | None) -> None:
    if await store.users.change(old, new):
        return
    admins = {user.name for user in await store.users.all() if Role.ADMIN in user.roles}
    if old.loses_admin_role(new) and admins == {old.name}:
        raise Conflict(say("{name} is the last user with the role ADMIN. Nothing was done.", name=old.name))
    raise Unavailable(
        say("User {name} was changed by somebody else just now. Nothing was done; try again.", name=old.name), 1
    )
