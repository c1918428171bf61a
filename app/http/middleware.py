"""The middleware that every request passes. Plain ASGI.

It gives the request its state and its trace id, turns an unexpected exception into a reply, and logs one line for each
reply.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.request_state import RequestState, set_state
from core.errors import Unavailable
from core.text import say

_TRACE_HEADER: Final = b"x-trace-id"
_VALID_TRACE_ID: Final = re.compile(rb"[0-9A-Za-z_-]{1,64}")
_HEALTH: Final = frozenset({"/healthz", "/readyz"})
_SERVER_FAULT: Final = 500
BROKEN_OFF: Final = say(
    "This server stopped before it answered the request. The request may have been done nevertheless. Check, or send "
    "it again with its Idempotency-Key to another server."
)

log = structlog.get_logger("ocpfleet.api")


class RequestMiddleware:
    """The middleware.

    Args:
        app: answers the requests.
        on_fault: makes the reply for an unexpected exception, and for a request that the server breaks off.
        on_reply: is called before each reply goes out.
        on_sent: is called once a reply is out. The server waits for it before it stops.
    """

    def __init__(
        self,
        app: ASGIApp,
        on_fault: Callable[[Request, Exception], Response],
        on_reply: Callable[[Request], Awaitable[None]],
        on_sent: Callable[[Request], Awaitable[None]],
    ) -> None:
        self._app = app
        self._on_fault = on_fault
        self._on_reply = on_reply
        self._on_sent = on_sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = RequestState(_read_trace_id(scope), time.perf_counter(), source=_read_source(scope))
        set_state(scope, state)

        async def send_reply(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                added = ((name.lower().encode(), value.encode()) for name, value in state.headers)
                message["headers"] = [*message["headers"], (_TRACE_HEADER, state.trace_id.encode()), *added]
                await self._on_reply(Request(scope))
            await send(message)

        structlog.contextvars.bind_contextvars(traceId=state.trace_id)
        try:
            await self._answer(scope, receive, send_reply, state)
        finally:
            _log_request(scope, state)
            structlog.contextvars.unbind_contextvars("traceId")
            await self._on_sent(Request(scope))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, state: RequestState) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            log.info("the client left before its request was read", path=scope["path"])
        except asyncio.CancelledError:  # only the server cancels, after its grace period, and it waits for this reply
            log.warning("broken off, the server stops", method=scope["method"], path=scope["path"])
            if state.status:
                raise
            response = self._on_fault(Request(scope), Unavailable(BROKEN_OFF, retry_after=1))
            await response(scope, receive, send)
        except Exception as error:  # a bug: logged once with its traceback, and answered
            log.exception("fault", method=scope["method"], path=scope["path"])
            if state.status:
                raise
            response = self._on_fault(Request(scope), error)
            await response(scope, receive, send)


def _read_trace_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _TRACE_HEADER and _VALID_TRACE_ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(8)


def _read_source(scope: Scope) -> str:
    address, _port = scope.get("client") or ("", 0)
    return str(address)


def _log_request(scope: Scope, state: RequestState) -> None:
    level = "debug" if scope["path"] in _HEALTH else "warning" if state.status >= _SERVER_FAULT else "info"
    getattr(log, level)(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=state.status,
        duration=state.millis,
        user=state.user,
    )
