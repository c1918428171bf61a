"""The stream of server-sent events to one client that watches a task (WHATWG HTML, section 9.2)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.http.language.choice import Language
from app.http.language.translation import translate
from app.tasks.progress_views import render_changes, render_progress
from app.tasks.watch.channel import Channel
from app.tasks.watch.hub import Hub
from app.tasks.watch.pace import StreamPace
from core.event import TaskEvent
from core.text import Text, say

_NO_CONTENT: Final = 204
_COME_BACK: Final = 2000
"""Milliseconds after which a client that lost its stream connects again."""


def open_stream(hub: Hub, channel: Channel, last_id: str | None, language: Language) -> Response:
    """Return the reply to a client that joined a channel.

    Where the client has already seen the end, the status is 204, which tells a browser to stop asking.
    """
    if channel.is_over and last_id == channel.last_id:
        hub.leave(channel)
        return Response(status_code=_NO_CONTENT)
    return EventStream(hub, channel, last_id, language)


class EventStream(StreamingResponse):
    """The reply to a client that watches. It leaves the channel when the client does.

    Args:
        hub: the hub through which the channel was joined.
        channel: the channel of the task.
        last_id: the `Last-Event-ID` of the request.
        language: the language that it reads.
    """

    def __init__(self, hub: Hub, channel: Channel, last_id: str | None, language: Language) -> None:
        self._hub = hub
        self._channel = channel
        self._messages = generate_messages(channel, last_id, hub.pace, language)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._messages, headers=headers, media_type="text/event-stream")

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._messages):
                await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._channel)


async def generate_messages(
    channel: Channel, last_id: str | None, pace: StreamPace, language: Language = Language.ENGLISH
) -> AsyncGenerator[bytes, None]:
    """Yield the messages to a watcher until the task ends or the channel is closed.

    Args:
        channel: the channel of the task.
        last_id: the id of the last message that the client saw, where it says so.
        pace: how often it hears something.
        language: the language that it reads.
    """
    cursor = last_id or ""
    if last_id is not None and not channel.has_all_since(last_id):
        yield _format_message("reset", None, translate({"message": _explain_reset(last_id[:40])}, language))
    yield f"retry: {_COME_BACK}\n\n".encode()
    end = time.monotonic() + pace.lasting
    while True:
        closing = channel.closing or (_LONG_ENOUGH if time.monotonic() > end else None)
        if closing is not None:
            yield _format_message("unavailable", None, translate({"message": closing}, language))
            return
        kind, upto = "end" if channel.is_over else "progress", channel.last_id
        if not channel.has_all_since(cursor):
            kind = "end" if channel.is_over else "snapshot"
            message = channel.share(kind) or channel.share(kind, _render_event(channel, kind, upto, None))
        else:
            key = f"{kind} {cursor}"
            message = channel.share(key) or channel.share(
                key, _render_event(channel, kind, upto, channel.list_events_since(cursor))
            )
        if message is not None:
            yield message
        if kind == "end":
            return
        cursor = upto
        await asyncio.sleep(pace.between)
        while not await channel.wait_for_news(cursor, pace.silence) and time.monotonic() < end:
            yield b": nothing happened\n\n"


_LONG_ENOUGH: Final = say("This stream is an hour old. Connect again with Last-Event-ID.")


def _explain_reset(last_id: str) -> Text:
    return say(
        "What happened after {last_id!r} is no longer known. Discard what you know: the next message has the current "
        "state of the task.",
        last_id=last_id,
    )


def _render_event(channel: Channel, kind: str, upto: str, events: Iterable[TaskEvent] | None) -> bytes:
    document = render_progress(channel.task, channel.list_failed_hosts())
    if events is not None:
        document["changes"] = render_changes(channel.task, events)
    return _format_message(kind, upto, dict(sorted(document.items())))


def _format_message(kind: str, event_id: str | None, document: object) -> bytes:
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}event: {kind}\ndata: ".encode() + orjson.dumps(document) + b"\n\n"
