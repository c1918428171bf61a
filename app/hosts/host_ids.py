"""Whether a request's body can be done: everything that can be known without asking the store.

By hand, since 10,000 numbers are checked in well under a millisecond this way, and since every refusal names the field,
the value and what would be right.
"""

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Header, Path, Request
from pydantic import BeforeValidator, WithJsonSchema

from app.audit.recorder import note
from app.context import fleet_of
from app.http.body import read_body
from app.http.errors import UnsupportedMediaType
from core.errors import InvalidRequest
from core.text import Text, say

HOST_IDS: Final = "hostIds"
HOST_ID_LIST: Final = "hostIdList"
"""What OCP calls the same where hosts are deleted."""
LONGEST_ID: Final = 2**63 - 1
LARGEST_PAGE: Final = 2000
"""Most entries of a page of any list."""
_BODY_BYTES: Final = 1024
_BODY_BYTES_PER_HOST: Final = 48
"""An id of 19 digits on a line of its own, deeply indented."""
_CLIPPED: Final = 80
_MISSPELT: Final = frozenset({"hostids", "hostid", "hostidlist", "hosts"})
"""Names that stand for either, small and without underscores; OCP's own page of a batch restart prints the first."""


async def read_host_ids(request: Request) -> tuple[int, ...]:
    """Read the body `{"hostIds": […]}` of a request: distinct ids in the order given.

    Raises:
        UnsupportedMediaType: it does not say that it is JSON.
        BodyTooLarge: it is longer than that of the largest request.
        InvalidRequest: it can never be done; names the field and the value.
    """
    return await _read_ids(request, HOST_IDS)


async def read_host_id_list(request: Request) -> tuple[int, ...]:
    """Read the body `{"hostIdList": […]}` of a request like `read_host_ids`."""
    return await _read_ids(request, HOST_ID_LIST)


async def _read_ids(request: Request, field: str) -> tuple[int, ...]:
    most = fleet_of(request).max_hosts
    expect_json(request)
    limit = _BODY_BYTES + _BODY_BYTES_PER_HOST * most
    sentence = say(
        "The body is longer than {limit} bytes, more than the {field} of any allowed request take. "
        "Send fewer hosts at a time.",
        limit=limit,
        field=field,
    )
    host_ids = checked_host_ids(await read_body(request, limit, sentence), most, field)
    note(request, {field: host_ids})
    return host_ids


HostIds = Annotated[tuple[int, ...], Depends(read_host_ids)]
HostIdList = Annotated[tuple[int, ...], Depends(read_host_id_list)]


def expect_json(request: Request) -> None:
    """See that a request says that its body is JSON.

    Raises:
        UnsupportedMediaType: it says something else, or nothing.
    """
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(_not_json(given[:_CLIPPED]))


def _not_json(media_type: str) -> Text:
    if media_type:
        return say("Cannot read Content-Type {type}. Send JSON with Content-Type: application/json.", type=media_type)
    return say("Cannot read a missing Content-Type. Send JSON with Content-Type: application/json.")


def checked_host_ids(body: bytes, most: int, field: str = HOST_IDS) -> tuple[int, ...]:
    """Return the distinct host ids of a body, in the order given.

    Args:
        body: what was sent.
        most: so many hosts are allowed, counted as they were sent.
        field: what the list is called.

    Raises:
        InvalidRequest: naming the field and the value at fault.
    """
    example = f'{{"{field}": [1001, 1002]}}'
    document = _parsed(body, example)
    for name in document:
        if name != field:
            raise InvalidRequest(name[:_CLIPPED], document[name], _no_such_field(name, field, example))
    host_ids = document.get(field)
    if host_ids is None:
        raise InvalidRequest(field, None, _absent(field, example, null=field in document))
    if not isinstance(host_ids, list):
        sentence = say(
            "{field} is {kind}, not a list. Send {example}.", field=field, kind=_kind(host_ids), example=example
        )
        raise InvalidRequest(field, host_ids, sentence)
    if not host_ids:
        sentence = say("{field} is empty. Name at least one host: {example}.", field=field, example=example)
        raise InvalidRequest(field, [], sentence)
    if len(host_ids) > most:
        sentence = say(
            "{field} has {count} entries, more than the {most} allowed. Send several requests.",
            field=field,
            count=len(host_ids),
            most=most,
        )
        raise InvalidRequest(field, len(host_ids), sentence)
    return tuple(dict.fromkeys(_checked_each(host_ids, body, field)))


def _no_such_field(name: str, field: str, example: str) -> Text:
    shown = name[:_CLIPPED]
    if name.lower().replace("_", "") in _MISSPELT:
        return say(
            "{name}: there is no such field. It is called {field}. Send only {example}.",
            name=shown,
            field=field,
            example=example,
        )
    return say("{name}: there is no such field. Send only {example}.", name=shown, example=example)


def _absent(field: str, example: str, *, null: bool) -> Text:
    if null:
        return say("{field} is null. Send the hosts' ids: {example}.", field=field, example=example)
    return say("{field} is missing. Send the hosts' ids: {example}.", field=field, example=example)


def _parsed(body: bytes, example: str) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        sentence = say(
            "The body is not JSON (line {line}, column {column}: {reason}). Send {example}.",
            line=error.lineno,
            column=error.colno,
            reason=error.msg,
            example=example,
        )
        raise InvalidRequest("body", _clipped(body), sentence) from None
    if not isinstance(document, dict):
        sentence = say("The body is {kind}, not an object. Send {example}.", kind=_kind(document), example=example)
        raise InvalidRequest("body", document, sentence)
    return document


def _clipped(body: bytes) -> str:
    return body[:_CLIPPED].decode(errors="replace") + "…" * (len(body) > _CLIPPED)


def _checked_each(host_ids: Sequence[object], body: bytes, name: str) -> Sequence[int]:
    exact = host_ids if all(type(host_id) is int for host_id in host_ids) else _as_sent(host_ids, body, name)
    checked = []
    for index, host_id in enumerate(exact):
        if type(host_id) is not int or not 1 <= host_id <= LONGEST_ID:
            field = f"{name}[{index}]"
            raise InvalidRequest(field, host_id, _wrong_id(field, host_id))
        checked.append(host_id)
    return checked


def _as_sent(host_ids: Sequence[object], body: bytes, name: str) -> Sequence[object]:
    """Return the values as they were sent: the fast parser makes fractions of whole numbers beyond 64 bits.

    What is written with a fraction of zero or an exponent is whole by its value, as in JSON Schema.
    """
    try:
        values: Sequence[object] = json.loads(body, parse_float=_number_of)[name]
    except (
        ValueError,
        ArithmeticError,
        RecursionError,
    ):  # more digits or levels than Python takes: the fraction has to do
        return host_ids
    return values


def _number_of(text: str) -> int | float:
    number = Decimal(text)
    whole = abs(number) <= LONGEST_ID and number == number.to_integral_value()
    return int(number) if whole else float(text)


def _wrong_id(field: str, value: object) -> Text:
    if type(value) is not int:
        return say(
            "{field}: {value} is {kind}, not a whole number. Write an id without quotes or fraction, such as 1001.",
            field=field,
            value=literal(value),
            kind=_kind(value),
        )
    if value > LONGEST_ID:
        return say(
            "{field}: {value} is beyond 64 bits. An id is a whole number from 1 to {most}.",
            field=field,
            value=_number(value),
            most=LONGEST_ID,
        )
    return say(
        "{field}: {value} is not positive. An id is a whole number from 1 to {most}.",
        field=field,
        value=_number(value),
        most=LONGEST_ID,
    )


def literal(value: object) -> str:
    """Return a rejected value as it stands in JSON, cut to a length that a sentence bears."""
    text = "[…]" if isinstance(value, list) else "{…}" if isinstance(value, dict) else orjson.dumps(value).decode()
    return text if len(text) <= _CLIPPED else f"{text[:_CLIPPED]}…"


def _number(value: int) -> str:
    text = str(value)
    return text if len(text) <= _CLIPPED else f"{text[:_CLIPPED]}…"


def _kind(value: object) -> Text:
    kinds = {
        bool: say("a boolean"),
        str: say("a string"),
        int: say("a number"),
        float: say("a fraction"),
        list: say("a list"),
        dict: say("an object"),
    }
    return kinds.get(type(value), say("null"))


def _whole(text: object) -> object:
    """Accept only plain decimal digits, which is less than pydantic takes for a number."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= _CLIPPED):
        raise ValueError(say("not a whole number. Write decimal digits, such as 1001"))
    return text


Whole = BeforeValidator(_whole)
"""Makes a parameter of the path or the query take whole numbers only. It stands last, after the limits of the number:
before them it would hide them from the OpenAPI document."""


def one_of(values: Iterable[str]) -> WithJsonSchema:
    """Say in the OpenAPI document which texts a parameter takes; refusing others is up to whoever reads it."""
    return WithJsonSchema({"type": "string", "enum": [*values]})


HostId = Annotated[int, Path(alias="hostId", ge=1, le=LONGEST_ID, description="the host"), Whole]
"""The host that a path names."""


def _sane_key(text: object) -> object:
    """Accept a key that can stand in a header and a log line as it is."""
    if isinstance(text, str) and not re.fullmatch(r"[\x21-\x7e]{1,255}", text):
        raise ValueError(say("not a key. Write 1 to 255 printable ASCII characters without blanks, such as a UUID"))
    return text


Key = Annotated[
    str | None,
    BeforeValidator(_sane_key),
    WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
    Header(
        alias="Idempotency-Key",
        description="the client's name for this request: made again within 24 hours it is the same task, not a new one",
    ),
]
"""A client's key for its request; None where it gave none."""
