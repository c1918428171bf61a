"""Makes replies: the one envelope around every reply, and replies that are made while they are sent."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.context import context_of
from app.http.language.choice import language_of
from app.http.language.translation import translate
from app.http.request_state import state_of
from app.http.wire import format_time
from core.errors import FleetError

OK: Final = 200
_FIRST_ERROR: Final = 400

log = structlog.get_logger("ocpfleet.api")


def reply(request: Request, data: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply that carries `data`."""
    return _wrap(request, OK, {"data": data}, headers)


def reply_nothing(request: Request) -> Response:
    """Return the reply of an operation that only says that it was done."""
    return _wrap(request, OK, {})


def refuse(
    request: Request,
    status: int,
    error: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
    data: object = None,
) -> Response:
    """Return the reply that carries an error, in the client's language. No cache keeps it.

    Args:
        request: what is answered.
        status: the reply's status.
        error: its `error`, with at least `code` and `message`.
        headers: its headers.
        data: its `data`, where it has any besides the error.
    """
    state_of(request).error = int(str(error["code"])), str(error["message"])
    language = language_of(request)
    own = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    content = {"error": error} if data is None else {"data": data, "error": error}
    return _wrap(request, status, translate(content, language), {**(headers or {}), **own})


class StreamedReply(StreamingResponse):
    """A reply that is made while it is sent.

    Where that fails, the connection is closed before the reply's end, so that no client takes a part for the whole.
    """

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except FleetError as error:
            log.warning("a reply was cut off", path=scope["path"], reason=error.sentence)


def _wrap(request: Request, status: int, content: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    state, context = state_of(request), context_of(request)
    content |= {
        "duration": state.millis,
        "server": context.server_address,
        "status": status,
        "successful": status < _FIRST_ERROR,
        "timestamp": format_time(context.clock()),
        "traceId": state.trace_id,
    }
    return Response(orjson.dumps(dict(sorted(content.items()))), status, headers, media_type="application/json")
