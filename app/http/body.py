"""A request's body, read once and never longer than allowed, whoever asks for it first."""

from fastapi import Request

from app.http.errors import BodyTooLarge
from app.http.request_state import exchange_of
from core.text import Text


async def read_body(request: Request, limit: int, sentence: Text) -> bytes:
    """Return the body of a request.

    Args:
        request: the request; what was read of it stays with its exchange.
        limit: so many bytes are read at the most.
        sentence: what to say where it is longer.

    Raises:
        BodyTooLarge: it is longer.
    """
    exchange = exchange_of(request)
    if exchange.body is None:
        exchange.body = await _bounded(request, limit, sentence)
    if len(exchange.body) > limit:
        raise BodyTooLarge(sentence)
    return exchange.body


async def _bounded(request: Request, limit: int, sentence: Text) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(sentence)
    return bytes(body)
