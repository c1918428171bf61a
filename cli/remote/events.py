"""A task's events, over as many connections as it takes: a broken one is resumed where it broke."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

from cli.exits import ApiUnreachable
from cli.remote.client import Client, unreachable

_TRIES: Final = 8
"""So many connections in a row may bring nothing new before it is given up."""
_LONGEST_WAIT: Final = 10.0
"""Seconds between two connections, at the most; the server says how many at the least."""
_SILENCE: Final = httpx.Timeout(60, connect=10, read=45)
"""The server says at least every 15 s that the stream stands."""
_NO_CONTENT: Final = 204
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One message of the stream, or `lost`: the connection broke, and the next one is on its way."""

    kind: str
    """snapshot, progress, end, reset, unavailable or lost."""
    data: dict[str, Any]


class Following:
    """Follows one task; what was seen is remembered, so that it can be stopped and gone on with.

    Args:
        task_id: which task.
        sleep: waits so many seconds.
    """

    def __init__(self, task_id: int, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.task_id = task_id
        self._sleep = sleep
        self._last_id = ""
        self._retry = 2.0

    async def events(self, client: Client) -> AsyncGenerator[Event, None]:
        """Yield what happens, until `end`.

        Raises:
            ApiUnreachable: the stream broke too often without bringing anything new.
            ApiRefused: there is no such task (any more).
            ApiDenied: whoever asks may not look at it.
        """
        in_vain = 0
        while True:
            before = self._last_id
            reason = ""
            try:
                async with aclosing(self._once(client)) as messages:
                    async for event in messages:
                        yield event
                        if event.kind == "end":
                            return
                        if event.kind == "unavailable":
                            reason = str(event.data.get("message", ""))
            except ApiUnreachable as error:
                reason = error.sentence
            in_vain = in_vain + 1 if self._last_id == before else 0
            if in_vain >= _TRIES:
                raise ApiUnreachable(
                    f"Lost task {self.task_id}: {_TRIES} connections brought nothing. {reason} "
                    f"The task itself goes on; `ocpfleet task follow {self.task_id}` watches it again."
                )
            yield Event("lost", {"message": reason or "The connection broke.", "attempt": in_vain})
            await self._sleep(min(self._retry * max(in_vain, 1), _LONGEST_WAIT))

    async def _once(self, client: Client) -> AsyncGenerator[Event, None]:
        """Yield the messages of one connection."""
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        path = f"/tasks/instances/{self.task_id}/events"
        try:
            async with aconnect_sse(client.http, "GET", path, headers=headers, timeout=_SILENCE) as source:
                if source.response.status_code == _NO_CONTENT:
                    self._last_id = ""  # the end was seen, but not told: ask for it anew
                    return
                if source.response.status_code != _OK:
                    await source.response.aread()
                    client.envelope(source.response)
                async for message in source.aiter_sse():
                    if message.retry is not None:
                        self._retry = message.retry / 1000
                    if message.data:
                        yield self._event(message)
        except (SSEError, orjson.JSONDecodeError):
            raise ApiUnreachable("What came is no stream of events; is there a proxy in between?") from None
        except httpx.TransportError as error:
            raise unreachable(client.http, error, changing=False) from None

    def _event(self, message: ServerSentEvent) -> Event:
        if message.event == "reset":
            self._last_id = ""
        elif message.id:
            self._last_id = message.id
        return Event(message.event, orjson.loads(message.data))
