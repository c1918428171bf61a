"""One client that watches a task, and what it is sent: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.http.language.choice import Language
from app.http.language.translation import in_language
from app.tasks.progress_views import changes_document, standing_document
from app.tasks.watch.channel import Channel
from app.tasks.watch.hub import Hub
from core.event import TaskEvent
from core.text import Text, say

_NO_CONTENT: Final = 204
_COME_BACK: Final = 2000
"""Milliseconds after which a client that lost its stream tries again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a watcher hears something."""

    between: float = 0.25
    """Seconds between two messages, at the least."""
    silence: float = 15.0
    """Seconds after which a comment says that the stream still stands."""
    lasting: float = 3600.0
    """Seconds after which the client has to connect again, and to prove again who it is."""


def answer(hub: Hub, channel: Channel, last_id: str | None, pace: Pace, language: Language) -> Response:
    """Return the reply to a client that joined a channel.

    Where the client has seen the end already, that is "no content": it tells a browser to stop asking.
    """
    if channel.over and last_id == channel.last_id:
        hub.leave(channel)
        return Response(status_code=_NO_CONTENT)
    return EventStream(hub, channel, last_id, pace, language)


class EventStream(StreamingResponse):
    """The reply to a client that watches: leaves the channel when the client does.

    Args:
        hub: which the channel was joined through.
        channel: the task's.
        last_id: the `Last-Event-ID` of the request.
        pace: how often it hears something.
        language: what it reads.
    """

    def __init__(self, hub: Hub, channel: Channel, last_id: str | None, pace: Pace, language: Language) -> None:
        self._hub = hub
        self._channel = channel
        self._told = messages(channel, last_id, pace, language)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._told, headers=headers, media_type="text/event-stream")

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._told):
                await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._channel)


async def messages(
    channel: Channel, last_id: str | None, pace: Pace, language: Language = Language.ENGLISH
) -> AsyncGenerator[bytes, None]:
    """Yield what a watcher is sent, until the task or the channel ends.

    Args:
        channel: the task's.
        last_id: the last message that the client saw, where it says so.
        pace: how often it hears something.
        language: what it reads.
    """
    cursor = last_id or ""
    if last_id is not None and not channel.reaches(last_id):
        yield _message("reset", None, in_language({"message": _forgotten(last_id[:40])}, language))
    yield f"retry: {_COME_BACK}\n\n".encode()
    end = time.monotonic() + pace.lasting
    while True:
        parting = channel.parting or (_LONG_ENOUGH if time.monotonic() > end else None)
        if parting is not None:
            yield _message("unavailable", None, in_language({"message": parting}, language))
            return
        kind, upto = "end" if channel.over else "progress", channel.last_id
        if not channel.reaches(cursor):
            kind = "end" if channel.over else "snapshot"
            message = channel.shared(kind) or channel.shared(kind, _told(channel, kind, upto, None))
        else:
            key = f"{kind} {cursor}"
            message = channel.shared(key) or channel.shared(key, _told(channel, kind, upto, channel.since(cursor)))
        if message is not None:
            yield message
        if kind == "end":
            return
        cursor = upto
        await asyncio.sleep(pace.between)
        while not await channel.news(cursor, pace.silence) and time.monotonic() < end:
            yield b": nothing happened\n\n"


_LONG_ENOUGH: Final = say("This stream is an hour old. Connect again with Last-Event-ID.")


def _forgotten(last_id: str) -> Text:
    return say(
        "What happened after {last_id!r} is not known any more. Forget what you know: the next message says how the "
        "task stands.",
        last_id=last_id,
    )


def _told(channel: Channel, kind: str, upto: str, events: Iterable[TaskEvent] | None) -> bytes:
    document = standing_document(channel.task, channel.failed_hosts())
    if events is not None:
        document["changes"] = changes_document(channel.task, events)
    return _message(kind, upto, dict(sorted(document.items())))


def _message(kind: str, event_id: str | None, document: object) -> bytes:
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}event: {kind}\ndata: ".encode() + orjson.dumps(document) + b"\n\n"
