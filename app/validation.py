"""Whether a request's body can be done: everything that can be known without asking the store.

By hand, since 10,000 numbers are checked in well under a millisecond this way, and since every refusal names the field,
the value and what would be right.
"""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Header, Path, Request
from pydantic import BeforeValidator

from app.audit import note
from app.body import read_body
from app.errors import UnsupportedMediaType
from app.fleet import fleet_of
from core.errors import InvalidRequest

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
    sentence = (
        f"The body is longer than {limit} bytes, more than the {field} of any allowed request take. "
        "Send fewer hosts at a time."
    )
    host_ids = checked_host_ids(await read_body(request, limit, sentence), most, field)
    note(request, {field: host_ids})
    return host_ids


HostIds = Annotated[tuple[int, ...], Depends(read_host_ids)]
HostIdList = Annotated[tuple[int, ...], Depends(read_host_id_list)]


def expect_json(request: Request) -> None:
    """Let only bodies pass that say that they are JSON.

    Raises:
        UnsupportedMediaType: this one does not.
    """
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "application/json":
        named = f"Content-Type {given[:_CLIPPED]}" if given else "a missing Content-Type"
        raise UnsupportedMediaType(f"Cannot read {named}. Send JSON with Content-Type: application/json.")


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
            shown = name[:_CLIPPED]
            meant = f" It is called {field}." * (name.lower().replace("_", "") in _MISSPELT)
            raise InvalidRequest(shown, document[name], f"{shown}: there is no such field.{meant} Send only {example}.")
    host_ids = document.get(field)
    if host_ids is None:
        state = "is null" if field in document else "is missing"
        raise InvalidRequest(field, None, f"{field} {state}. Send the hosts' ids: {example}.")
    if not isinstance(host_ids, list):
        raise InvalidRequest(field, host_ids, f"{field} is {_kind(host_ids)}, not a list. Send {example}.")
    if not host_ids:
        raise InvalidRequest(field, [], f"{field} is empty. Name at least one host: {example}.")
    if len(host_ids) > most:
        sentence = f"{field} has {len(host_ids)} entries, more than the {most} allowed. Send several requests."
        raise InvalidRequest(field, len(host_ids), sentence)
    _check_each(host_ids, body, field)
    return tuple(dict.fromkeys(host_ids))


def _parsed(body: bytes, example: str) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(
            "body", _clipped(body), f"The body is not JSON ({at}: {error.msg}). Send {example}."
        ) from None
    if not isinstance(document, dict):
        raise InvalidRequest("body", document, f"The body is {_kind(document)}, not an object. Send {example}.")
    return document


def _clipped(body: bytes) -> str:
    return body[:_CLIPPED].decode(errors="replace") + "…" * (len(body) > _CLIPPED)


def _check_each(host_ids: Sequence[object], body: bytes, field: str) -> None:
    for index, host_id in enumerate(host_ids):
        if type(host_id) is int and 1 <= host_id <= LONGEST_ID:
            continue
        value = _as_sent(index, host_id, body, field)
        raise InvalidRequest(f"{field}[{index}]", value, f"{field}[{index}]: {_reason(value)}")


def _as_sent(index: int, value: object, body: bytes, field: str) -> object:
    """Return the value that was sent where the fast parser made a fraction of it: it does so beyond 64 bits."""
    if not isinstance(value, float):
        return value
    try:
        return json.loads(body)[field][index]
    except (ValueError, RecursionError):  # more digits or levels than Python takes: the fraction has to do
        return value


def _reason(value: object) -> str:
    if type(value) is int:
        kind = "beyond 64 bits" if value > LONGEST_ID else "not positive"
        return f"{_number(value)} is {kind}. An id is a whole number from 1 to {LONGEST_ID}."
    wanted = "a whole number. Write an id without quotes or fraction, such as 1001"
    return f"{_literal(value)} is {_kind(value)}, not {wanted}."


def _literal(value: object) -> str:
    """Return a rejected value as it stands in JSON, cut to a length that a sentence bears."""
    text = "[…]" if isinstance(value, list) else "{…}" if isinstance(value, dict) else orjson.dumps(value).decode()
    return text if len(text) <= _CLIPPED else f"{text[:_CLIPPED]}…"


def _number(value: int) -> str:
    text = str(value)
    return text if len(text) <= _CLIPPED else f"{text[:_CLIPPED]}…"


def _kind(value: object) -> str:
    kinds = {
        bool: "a boolean",
        str: "a string",
        int: "a number",
        float: "a fraction",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "null")


def _whole(text: object) -> object:
    """Accept only plain decimal digits, which is less than pydantic takes for a number."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= len(str(LONGEST_ID))):
        raise ValueError("not a whole number. Write decimal digits, such as 1001")
    return text


Whole = BeforeValidator(_whole)
"""Makes a parameter of the path or the query take whole numbers only."""

HostId = Annotated[int, Whole, Path(alias="hostId", ge=1, le=LONGEST_ID)]
"""The host that a path names."""


def _sane_key(text: object) -> object:
    """Accept a key that can stand in a header and a log line as it is."""
    if isinstance(text, str) and not re.fullmatch(r"[\x21-\x7e]{1,255}", text):
        raise ValueError("not a key. Write 1 to 255 printable ASCII characters without blanks, such as a UUID")
    return text


Key = Annotated[
    str | None,
    BeforeValidator(_sane_key),
    Header(
        alias="Idempotency-Key",
        description="the client's name for this request: made again within 24 hours it is the same task, not a new one",
    ),
]
"""A client's key for its request; None where it gave none."""
