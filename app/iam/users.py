"""Lists, adds and removes users of the API, and changes their passwords and roles.

The routes and `ocpfleet user --direct` share these functions.
"""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from app.auth.passwords import MAX_PASSWORD_LENGTH, Passwords, generate_password
from core.errors import Conflict, InvalidRequest, NotFound, Unavailable
from core.text import say
from core.user import Role, User
from infra.store import Store

MIN_PASSWORD_LENGTH: Final = 8
"""How many characters a password needs that somebody chooses."""
NAME_PATTERN: Final = r"(?!\.+$)[A-Za-z0-9_.@-]{1,64}"
"""Names that HTTP Basic can carry and that fit one segment of a path."""


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user, as lists show it."""

    user: User
    access_keys: int
    """How many access keys the user has."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """A user after a change, and its password if that was generated. It is known only now."""

    user: User
    password: str | None = field(default=None, repr=False)


def check_name(name: str) -> str:
    """Return the name of a new user, if it is valid.

    Raises:
        InvalidRequest: it is not.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        sentence = say("name: {name!r} is not a user name. Write up to 64 letters, digits and . _ @ -", name=name[:80])
        raise InvalidRequest("name", name, sentence)
    return name


def check_password(password: str) -> str:
    """Return a password, if it is valid. An error never repeats it.

    Raises:
        InvalidRequest: it is too short or too long.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        sentence = say(
            "password: a password has {least} to {most} characters. Nothing was done.",
            least=MIN_PASSWORD_LENGTH,
            most=MAX_PASSWORD_LENGTH,
        )
        raise InvalidRequest("password", None, sentence)
    return password


async def list_users(store: Store) -> tuple[ListedUser, ...]:
    """Return the users, by name."""
    keys = [(key.user, key.user_id) for key in await store.access_keys.all()]
    return tuple(ListedUser(user, keys.count((user.name, user.id))) for user in await store.users.all())


async def find_user(store: Store, name: str) -> User:
    """Return a user.

    Raises:
        NotFound: the user does not exist.
    """
    user = await store.users.get(name)
    if user is None:
        raise NotFound(
            say("There is no user {name}. `ocpfleet user list` or GET /api/v2/iam/users shows them all.", name=name)
        )
    return user


async def add_user(
    store: Store, passwords: Passwords, name: str, roles: Collection[Role], password: str | None
) -> UserChange:
    """Add a user.

    Args:
        store: has the users.
        passwords: hashes the password.
        name: the name of the user.
        roles: the roles of the user.
        password: None to generate one.

    Raises:
        InvalidRequest: the name or the password is invalid.
        Conflict: a user of that name exists.
    """
    check_name(name)
    password_hash, made = await _hash(passwords, password)
    if not await store.users.put(User(0, name, password_hash, frozenset(roles))):
        raise Conflict(say("User {name} already exists. Nothing was done; choose another name.", name=name))
    return UserChange(await find_user(store, name), made)


async def remove_user(store: Store, name: str, by: str | None = None) -> tuple[str, ...]:
    """Remove a user and its access keys. Return the ids of the keys.

    Args:
        store: has the users.
        name: the user.
        by: the user who makes the request; None for somebody who works on the store itself.

    Raises:
        NotFound: the user does not exist.
        Conflict: it is the last user with the role ADMIN, or the user who makes the request.
        Unavailable: somebody else changed the user at the same time.
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


async def change_password(store: Store, passwords: Passwords, name: str, password: str | None) -> UserChange:
    """Change a user's password. None generates one.

    Raises:
        NotFound: the user does not exist.
        InvalidRequest: the password is invalid.
        Unavailable: somebody else changed the user at the same time.
    """
    await find_user(store, name)
    password_hash, made = await _hash(passwords, password)
    old = await find_user(store, name)
    new = replace(old, password_hash=password_hash)
    await _change(store, old, new)
    return UserChange(new, made)


async def change_roles(store: Store, name: str, roles: Collection[Role], by: str | None = None) -> User:
    """Replace the roles of a user. Return the user.

    Args:
        store: has the users.
        name: the user.
        roles: its new roles.
        by: the user who makes the request; None for somebody who works on the store itself.

    Raises:
        NotFound: the user does not exist.
        Conflict: no user with the role ADMIN would be left, or the user takes the role away from itself.
        Unavailable: somebody else changed the user at the same time.
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


async def _hash(passwords: Passwords, password: str | None) -> tuple[str, str | None]:
    """Return the hash of a password, and the password if it is generated here."""
    made = generate_password() if password is None else None
    return await asyncio.to_thread(passwords.hash, made or check_password(password or "")), made


async def _change(store: Store, old: User, new: User | None) -> None:
    if await store.users.change(old, new):
        return
    admins = {user.name for user in await store.users.all() if Role.ADMIN in user.roles}
    if old.loses_admin_role(new) and admins == {old.name}:
        raise Conflict(say("{name} is the last user with the role ADMIN. Nothing was done.", name=old.name))
    raise Unavailable(say("Somebody else has just changed user {name}. Nothing was done; try again.", name=old.name), 1)
