"""Reads the body of a request: once, never longer than allowed, and as JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request

from app.http.errors import BodyTooLarge, UnsupportedMediaType
from app.http.request_state import state_of
from core.errors import InvalidRequest
from core.text import Text, say

MAX_SHOWN: Final = 80
"""How many characters of a rejected value a sentence repeats."""
_MAX_OBJECT_BYTES: Final = 16 * 1024
"""How long a small object may be: the longest password with every character escaped, and room for the rest."""


async def read_body(request: Request, limit: int, sentence: Text) -> bytes:
    """Return the body of a request.

    Args:
        request: the request. Its state keeps the body, so that it is read only once.
        limit: how many bytes it may have.
        sentence: what to say where it has more.

    Raises:
        BodyTooLarge: it has more.
    """
    state = state_of(request)
    if state.body is None:
        state.body = await _read_stream(request, limit, sentence)
    if len(state.body) > limit:
        raise BodyTooLarge(sentence)
    return state.body


async def _read_stream(request: Request, limit: int, sentence: Text) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(sentence)
    return bytes(body)


def require_json(request: Request) -> None:
    """Check that a request says that its body is JSON.

    Raises:
        UnsupportedMediaType: it says something else, or nothing.
    """
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() == "application/json":
        return
    if given:
        sentence = say(
            "Cannot read Content-Type {type}. Send JSON with Content-Type: application/json.", type=given[:80]
        )
    else:
        sentence = say("Cannot read a missing Content-Type. Send JSON with Content-Type: application/json.")
    raise UnsupportedMediaType(sentence)


async def read_object(request: Request, example: str, *known: str) -> dict[str, Any]:
    """Read a small JSON object that has only known fields. A field that is null counts as left out.

    No error repeats a value, since the object may hold a password.

    Args:
        request: the request.
        example: an object as it should be, for the sentences.
        known: the names of its fields.

    Raises:
        UnsupportedMediaType: the request does not say that its body is JSON.
        BodyTooLarge: the body is longer than any valid one.
        InvalidRequest: the body is not such an object.
    """
    require_json(request)
    sentence = say(
        "The body is longer than {limit} bytes. Send only {example}.", limit=_MAX_OBJECT_BYTES, example=example
    )
    document = parse_object(await read_body(request, _MAX_OBJECT_BYTES, sentence), example, may_show=False)
    for name in document:
        if name not in known:
            shown = name[:MAX_SHOWN]
            sentence = say("{name}: there is no such field. Send only {example}.", name=shown, example=example)
            raise InvalidRequest(shown, None, sentence)
    return {name: value for name, value in document.items() if value is not None}


def parse_object(body: bytes, example: str, *, may_show: bool = True) -> dict[str, Any]:
    """Return the JSON object that a body holds.

    Args:
        body: the body.
        example: an object as it should be, for the sentences.
        may_show: whether an error may repeat the body.

    Raises:
        InvalidRequest: the body is not JSON, or not an object.
    """
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
        raise InvalidRequest("body", _clip(body) if may_show else None, sentence) from None
    if not isinstance(document, dict):
        kind = name_kind(document)
        sentence = say("The body is {kind}, not an object. Send {example}.", kind=kind, example=example)
        raise InvalidRequest("body", document if may_show else None, sentence)
    return document


def _clip(body: bytes) -> str:
    return body[:MAX_SHOWN].decode(errors="replace") + "…" * (len(body) > MAX_SHOWN)


def require_text(fields: Mapping[str, Any], name: str) -> str:
    """Return a text among the fields of an object.

    Raises:
        InvalidRequest: it is missing, or not a text.
    """
    text = fields.get(name)
    if isinstance(text, str):
        return text
    if name in fields:
        raise InvalidRequest(name, None, say("{name} is not a string. Send a JSON string.", name=name))
    raise InvalidRequest(name, None, say("{name} is missing. Send a JSON string.", name=name))


def quote(value: object) -> str:
    """Return a rejected value as JSON writes it, short enough for a sentence."""
    if isinstance(value, list | dict):
        return "[…]" if isinstance(value, list) else "{…}"
    text = str(value) if type(value) is int else orjson.dumps(value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def name_kind(value: object) -> Text:
    """Return what kind of JSON value something is, as a sentence names it."""
    kinds = {
        bool: say("a boolean"),
        str: say("a string"),
        int: say("a number"),
        float: say("a fraction"),
        list: say("a list"),
        dict: say("an object"),
    }
    return kinds.get(type(value), say("null"))
