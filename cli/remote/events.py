"""A task's events. A connection that breaks is resumed after the last event that arrived."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

from cli.exits import ApiUnreachable
from cli.remote.client import Client
from cli.remote.replies import to_unreachable

MAX_VAIN: Final = 8
"""Connections in a row without a new event before the command gives up."""
MAX_WAIT: Final = 10.0
"""Seconds between two connections; the server sends the minimum."""
_TIMEOUT: Final = httpx.Timeout(60, connect=10, read=45)
"""The server sends something at least every 15 s."""
_NO_CONTENT: Final = 204
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One message of the stream, or `lost`: the connection broke and will be opened again."""

    kind: str
    """snapshot, progress, end, reset, unavailable or lost."""
    data: dict[str, Any]


class EventStream:
    """The events of one task. It remembers the last event, so that reading can stop and go on later.

    Args:
        task_id: the task.
        sleep: waits for a number of seconds.
    """

    def __init__(self, task_id: int, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.task_id = task_id
        self._sleep = sleep
        self._last_id = ""
        self._retry = 2.0

    async def read(self, client: Client) -> AsyncGenerator[Event, None]:
        """Yield the events until `end`.

        Raises:
            ApiUnreachable: too many connections in a row brought no new event.
            ApiRefused: the task does not exist.
            ApiDenied: the user may not see the task.
        """
        in_vain = 0
        while True:
            before = self._last_id
            reason = ""
            try:
                async with aclosing(self._read_connection(client)) as messages:
                    async for event in messages:
                        yield event
                        if event.kind == "end":
                            return
                        if event.kind == "unavailable":
                            reason = str(event.data.get("message", ""))
            except ApiUnreachable as error:
                reason = error.sentence
            in_vain = in_vain + 1 if self._last_id == before else 0
            if in_vain >= MAX_VAIN:
                raise ApiUnreachable(
                    f"Lost sight of task {self.task_id}: {MAX_VAIN} connections brought no news. {reason} "
                    f"The task itself goes on; `ocpfleet task follow {self.task_id}` watches it again."
                )
            yield Event("lost", {"message": reason or "The connection broke.", "attempt": in_vain})
            await self._sleep(min(self._retry * max(in_vain, 1), MAX_WAIT))

    async def _read_connection(self, client: Client) -> AsyncGenerator[Event, None]:
        """Yield the messages of one connection."""
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        path = f"/tasks/instances/{self.task_id}/events"
        try:
            async with aconnect_sse(client.http, "GET", path, headers=headers, timeout=_TIMEOUT) as source:
                if source.response.status_code == _NO_CONTENT:
                    self._last_id = ""  # the `end` event itself did not arrive: ask for everything again
                    return
                if source.response.status_code != _OK:
                    await source.response.aread()
                    client.unwrap(source.response)
                async for message in source.aiter_sse():
                    if message.retry is not None:
                        self._retry = message.retry / 1000
                    if message.data:
                        yield self._to_event(message)
        except (SSEError, orjson.JSONDecodeError):
            raise ApiUnreachable("The reply is not a stream of events. Is there a proxy in between?") from None
        except httpx.TransportError as error:
            raise to_unreachable(client.http, error, changing=False) from None

    def _to_event(self, message: ServerSentEvent) -> Event:
        if message.event == "reset":
            self._last_id = ""
        elif message.id:
            self._last_id = message.id
        return Event(message.event, orjson.loads(message.data))
