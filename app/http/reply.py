"""The one envelope of every reply."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.context import fleet_of
from app.http.language.choice import language_of
from app.http.language.translation import in_language
from app.http.request_state import exchange_of
from app.http.wire import stamp
from core.errors import FleetError
from core.text import Text, say

OK = 200
NOT_MODIFIED = 304
NOT_READY = 503
_FIRST_ERROR = 400

log = structlog.get_logger("ocpfleet.api")


def reply(request: Request, data: object, status: int = OK, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply that carries `data`."""
    return _enveloped(request, status, {"data": data}, headers)


class Streamed(StreamingResponse):
    """A reply that is made while it is sent.

    Where that cannot go on, the connection is closed before the reply's end: no client takes a part for the whole.
    """

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except FleetError as error:
            log.warning("a reply was cut off", path=scope["path"], reason=error.sentence)


def cached(tag: str) -> dict[str, str]:
    """Return the headers of a reply that a client may keep, if it asks each time whether it still holds."""
    return {"Cache-Control": "private, no-cache", "ETag": tag}


def not_modified(tag: str) -> Response:
    """Return the reply to a client that has the answer already."""
    return Response(None, NOT_MODIFIED, cached(tag) | {"Vary": "Accept-Encoding"})


def replayed(*, yes: bool) -> dict[str, str] | None:
    """Return the headers of a reply to a request that makes something: whether it was made before."""
    return {"Idempotency-Replayed": "true"} if yes else None


def reply_nothing(request: Request) -> Response:
    """Return the reply of an operation that has nothing to tell but that it was done."""
    return _enveloped(request, OK, {})


def refusal(
    request: Request, status: int, error: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    """Return the reply that carries an error, in the client's language. No cache keeps it."""
    exchange_of(request).error = int(str(error["code"])), str(error["message"])
    return _refused(request, status, {"error": error}, headers)


def not_ready(request: Request, checks: Mapping[str, Text | None], beside: Mapping[str, str]) -> Response:
    """Return the reply that names each check, with what is wrong or None, and what is to be known beside."""
    wrong = [say("{name}: {wrong}", name=name, wrong=wrong) for name, wrong in sorted(checks.items()) if wrong]
    missing = reduce(lambda some, another: say("{some}; {another}", some=some, another=another), wrong)
    data = {**beside, **{name: str(wrong or "ok") for name, wrong in sorted(checks.items())}}
    content = {"data": data, "error": {"code": 0, "message": say("Not ready: {missing}.", missing=missing)}}
    return _refused(request, NOT_READY, content, {"Retry-After": "5"})


def _refused(
    request: Request, status: int, content: Mapping[str, object], headers: Mapping[str, str] | None
) -> Response:
    language = language_of(request)
    ours = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    return _enveloped(request, status, in_language(content, language), {**(headers or {}), **ours})


def _enveloped(
    request: Request, status: int, content: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    exchange, fleet = exchange_of(request), fleet_of(request)
    content |= {
        "duration": exchange.millis,
        "server": fleet.server,
        "status": status,
        "successful": status < _FIRST_ERROR,
        "timestamp": stamp(fleet.clock()),
        "traceId": exchange.trace_id,
    }
    return Response(orjson.dumps(dict(sorted(content.items()))), status, headers, media_type="application/json")
