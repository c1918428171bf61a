"""One request and its reply: its trace id, its start, who made it; and the middleware that all of them pass.

Plain ASGI. The middleware gives every request a trace id, turns a fault of ours into a reply, and writes one line of
log for each reply.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.audit import Proof
from core.errors import Unavailable
from core.text import say

_KEY: Final = "ocpfleet.exchange"
_TRACE_HEADER: Final = b"x-trace-id"
_SANE: Final = re.compile(rb"[0-9A-Za-z_-]{1,64}")
_HEALTH: Final = frozenset({"/healthz", "/readyz"})
_SERVER_FAULT: Final = 500
BROKEN_OFF: Final = say(
    "This server stopped before the request was dealt with. It may have been done all the same: look, or repeat it "
    "with its Idempotency-Key, at another server."
)

log = structlog.get_logger("ocpfleet.api")


@dataclass(slots=True)
class Exchange:
    """What is known of a request beside its content."""

    trace_id: str
    """The client's, where it sent a sane one, else ours: 16 hexadecimal digits."""
    began: float
    """When it came in, in seconds of `time.perf_counter`."""
    user: str | None = None
    """Who made it, once that is proved."""
    source: str = ""
    """From which address it came."""
    claimed: str | None = None
    """Whom it named without proving it, where there is such a user."""
    proof: Proof = Proof.NONE
    """How the user was proved."""
    access_key: str | None = None
    """The AK that signed it."""
    task_id: int | None = None
    """The task that it made or acts on."""
    fields: dict[str, str] = field(default_factory=dict)
    """What it names beside its path, shortened."""
    body: bytes | None = None
    """Its body, once it was read."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of the reply that do not depend on what is answered."""
    error: tuple[int, str] = (0, "")
    """Code and sentence of the reply's error."""
    status: int = 0
    """The reply's status, once it is on its way."""
    kept_status: int | None = None
    """The status with which the audit in the store has it already."""

    @property
    def millis(self) -> int:
        """Milliseconds since it came in."""
        return round((time.perf_counter() - self.began) * 1000)


def exchange_of(request: Request) -> Exchange:
    """Return what is known of a request."""
    exchange: Exchange = request.scope[_KEY]
    return exchange


class Exchanges:
    """The middleware.

    Args:
        app: what answers.
        on_fault: makes the reply for an exception that nobody expected, and for a request that is broken off.
        on_reply: is told of each reply before it goes out.
        on_sent: does what is left to do once the reply is out. The server waits for it before it stops.
    """

    def __init__(
        self,
        app: ASGIApp,
        on_fault: Callable[[Request, Exception], Response],
        on_reply: Callable[[Scope, Exchange], Awaitable[None]],
        on_sent: Callable[[Scope], Awaitable[None]],
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
        exchange = Exchange(_trace_id(scope), time.perf_counter(), source=_source(scope))
        scope[_KEY] = exchange

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                added = ((name.lower().encode(), value.encode()) for name, value in exchange.headers)
                message["headers"] = [*message["headers"], (_TRACE_HEADER, exchange.trace_id.encode()), *added]
                await self._on_reply(scope, exchange)
            await send(message)

        structlog.contextvars.bind_contextvars(traceId=exchange.trace_id)
        try:
            await self._answer(scope, receive, sending, exchange)
        finally:
            _write_line(scope, exchange)
            structlog.contextvars.unbind_contextvars("traceId")
            await self._on_sent(scope)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, exchange: Exchange) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            log.info("the client left before its request was read", path=scope["path"])
        except asyncio.CancelledError:  # by the server alone, whose patience is at its end: it waits for this reply
            log.warning("broken off, the server stops", method=scope["method"], path=scope["path"])
            if exchange.status:
                raise
            response = self._on_fault(Request(scope), Unavailable(BROKEN_OFF, retry_after=1))
            await response(scope, receive, send)
        except Exception as error:  # a fault of ours: logged once, with its traceback, and answered
            log.exception("fault", method=scope["method"], path=scope["path"])
            if exchange.status:
                raise
            response = self._on_fault(Request(scope), error)
            await response(scope, receive, send)


def _trace_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _TRACE_HEADER and _SANE.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(8)


def _source(scope: Scope) -> str:
    address, _port = scope.get("client") or ("", 0)
    return str(address)


def _write_line(scope: Scope, exchange: Exchange) -> None:
    level = "debug" if scope["path"] in _HEALTH else "warning" if exchange.status >= _SERVER_FAULT else "info"
    getattr(log, level)(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=exchange.status,
        duration=exchange.millis,
        user=exchange.user,
    )
