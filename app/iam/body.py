"""The bodies of requests about users and access keys.

Since they may hold a password, no error repeats a value of one, but for names and roles.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Request

from app.audit.recorder import note
from app.hosts.host_ids import expect_json
from app.http.body import read_body
from app.iam.access_keys import checked_description
from app.iam.users import checked_name, checked_password
from core.errors import InvalidRequest
from core.text import say
from core.user import Role

_LIMIT: Final = 16 * 1024
"""Bytes of a body: the longest password, every character escaped, and room for the rest."""
_ALL_ROLES: Final = ", ".join(Role)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who is to be added."""

    name: str
    roles: tuple[Role, ...]
    password: str | None = field(repr=False)
    """None to have one generated."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What a password is to become."""

    password: str | None = field(repr=False)
    """None to have one generated."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """Which access key is to be made."""

    user: str
    description: str


async def read_user(request: Request) -> NewUser:
    """Read `{"name": …, "roles": […], "password": …}`; the last may be left out. Raises as `read_fields` does."""
    fields = await read_fields(
        request, '{"name": "night-shift", "roles": ["TASK_VIEWER"]}', "name", "roles", "password"
    )
    name, roles = checked_name(text_of(fields, "name")), _roles(fields)
    note(request, {"name": name, "roles": roles})
    return NewUser(name, roles, _password(fields))


async def read_password(request: Request) -> NewPassword:
    """Read `{"password": …}`, which may be left out. Raises as `read_fields` does."""
    return NewPassword(
        _password(await read_fields(request, '{"password": "…"}, or {} for a generated one', "password"))
    )


async def read_roles(request: Request) -> tuple[Role, ...]:
    """Read `{"roles": […]}`. Raises as `read_fields` does."""
    roles = _roles(await read_fields(request, '{"roles": ["TASK_VIEWER"]}', "roles"))
    note(request, {"roles": roles})
    return roles


async def read_key(request: Request) -> NewKey:
    """Read `{"user": …, "description": …}`; the last may be left out. Raises as `read_fields` does."""
    fields = await read_fields(request, '{"user": "night-shift", "description": "cron"}', "user", "description")
    user = text_of(fields, "user")
    note(request, {"user": user})
    return NewKey(user, checked_description(text_of(fields, "description") if "description" in fields else ""))


UserBody = Annotated[NewUser, Depends(read_user)]
PasswordBody = Annotated[NewPassword, Depends(read_password)]
RolesBody = Annotated[tuple[Role, ...], Depends(read_roles)]
KeyBody = Annotated[NewKey, Depends(read_key)]


async def read_fields(request: Request, example: str, *known: str) -> dict[str, Any]:
    """Read a JSON object with none but known fields; a field that is null counts as left out.

    Raises:
        UnsupportedMediaType: it does not say that it is JSON.
        BodyTooLarge: it is longer than any right one.
        InvalidRequest: it is no such object.
    """
    expect_json(request)
    body = await read_body(
        request,
        _LIMIT,
        say("The body is longer than {limit} bytes. Send only {example}.", limit=_LIMIT, example=example),
    )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        sentence = say(
            "The body is not JSON (line {line}, column {column}). Send {example}.",
            line=error.lineno,
            column=error.colno,
            example=example,
        )
        raise InvalidRequest("body", None, sentence) from None
    if not isinstance(document, dict):
        raise InvalidRequest("body", None, say("The body is not an object. Send {example}.", example=example))
    for name in document:
        if name not in known:
            sentence = say("{name}: there is no such field. Send only {example}.", name=name[:80], example=example)
            raise InvalidRequest(name[:80], None, sentence)
    return {name: value for name, value in document.items() if value is not None}


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Return a text among the fields of a body.

    Raises:
        InvalidRequest: it is missing, or no text.
    """
    if not isinstance(fields.get(name), str):
        there = say("{name} is not a text. Send it as a JSON string.", name=name)
        absent = say("{name} is missing. Send it as a JSON string.", name=name)
        raise InvalidRequest(name, None, there if name in fields else absent)
    text: str = fields[name]
    return text


def _password(fields: Mapping[str, Any]) -> str | None:
    return checked_password(text_of(fields, "password")) if "password" in fields else None


def _roles(fields: Mapping[str, Any]) -> tuple[Role, ...]:
    given = fields.get("roles")
    if not isinstance(given, list) or not given:
        raise InvalidRequest("roles", None, say("roles: send a list of at least one of {roles}.", roles=_ALL_ROLES))
    for index, role in enumerate(given):
        if not isinstance(role, str) or role not in Role.__members__:
            sentence = say("roles[{index}]: there is no such role. Write {roles}.", index=index, roles=_ALL_ROLES)
            raise InvalidRequest(f"roles[{index}]", role if isinstance(role, str) else None, sentence)
    return tuple(dict.fromkeys(map(Role, given)))
