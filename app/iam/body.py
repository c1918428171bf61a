"""Reads the bodies of requests about users and access keys.

A body may hold a password, so errors repeat only names and roles, and no other values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from app.http.body import read_object, require_text
from app.http.request_state import note
from app.iam.access_keys import check_description
from app.iam.users import check_name, check_password
from core.errors import InvalidRequest
from core.text import say
from core.user import Role

_ALL_ROLES: Final = ", ".join(Role)


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to add."""

    name: str
    roles: tuple[Role, ...]
    password: str | None = field(repr=False)
    """None to have one generated."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password to set."""

    password: str | None = field(repr=False)
    """None to have one generated."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """An access key to make."""

    user: str
    description: str


async def read_user(request: Request) -> NewUser:
    """Read `{"name": …, "roles": […], "password": …}`. The password may be left out. Raises as `read_object` does."""
    fields = await read_object(
        request, '{"name": "night-shift", "roles": ["TASK_VIEWER"]}', "name", "roles", "password"
    )
    name, roles = check_name(require_text(fields, "name")), _read_roles(fields)
    note(request, {"name": name, "roles": roles})
    return NewUser(name, roles, _read_password(fields))


async def read_password(request: Request) -> NewPassword:
    """Read `{"password": …}`, which may be left out. Raises as `read_object` does."""
    return NewPassword(
        _read_password(await read_object(request, '{"password": "…"}, or {} for a generated one', "password"))
    )


async def read_roles(request: Request) -> tuple[Role, ...]:
    """Read `{"roles": […]}`. Raises as `read_object` does."""
    roles = _read_roles(await read_object(request, '{"roles": ["TASK_VIEWER"]}', "roles"))
    note(request, {"roles": roles})
    return roles


async def read_key(request: Request) -> NewKey:
    """Read `{"user": …, "description": …}`. The description may be left out. Raises as `read_object` does."""
    fields = await read_object(request, '{"user": "night-shift", "description": "cron"}', "user", "description")
    user = require_text(fields, "user")
    note(request, {"user": user})
    return NewKey(user, check_description(require_text(fields, "description") if "description" in fields else ""))


UserBody = Annotated[NewUser, Depends(read_user)]
PasswordBody = Annotated[NewPassword, Depends(read_password)]
RolesBody = Annotated[tuple[Role, ...], Depends(read_roles)]
KeyBody = Annotated[NewKey, Depends(read_key)]


def _read_password(fields: Mapping[str, Any]) -> str | None:
    return check_password(require_text(fields, "password")) if "password" in fields else None


def _read_roles(fields: Mapping[str, Any]) -> tuple[Role, ...]:
    given = fields.get("roles")
    if not isinstance(given, list) or not given:
        raise InvalidRequest("roles", None, say("roles: send a list of at least one of {roles}.", roles=_ALL_ROLES))
    for index, role in enumerate(given):
        if not isinstance(role, str) or role not in Role.__members__:
            sentence = say("roles[{index}]: there is no such role. Write {roles}.", index=index, roles=_ALL_ROLES)
            raise InvalidRequest(f"roles[{index}]", role if isinstance(role, str) else None, sentence)
    return tuple(dict.fromkeys(map(Role, given)))
