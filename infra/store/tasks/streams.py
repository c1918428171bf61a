"""The event streams of tasks: read at once, or followed on a connection of their own."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from core.errors import StoreUnavailable
from core.event import TaskEvent
from infra.store import keys
from infra.store.codec.event import parse_event
from infra.store.connection import Argument, Connection

_BATCH: Final = 500
"""The most events of one task that one read returns while it is followed."""


class Streams:
    """The streams of one fleet."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._own: Connection | None = None
        """The connection of the follower, so that nobody else waits behind it."""

    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        """Return the events of a task, oldest first."""
        entries = await self._redis.call("XRANGE", keys.events(task_id), "-", "+")
        return tuple(parse_event(event_id, fields) for event_id, fields in entries)

    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        """Return the events after the cursors; wait for at most `patience` seconds."""
        names = {keys.events(task_id): task_id for task_id in cursors}
        words: tuple[Argument, ...] = ("XREAD", "COUNT", _BATCH, "BLOCK", max(1, round(patience * 1000)), "STREAMS")
        if self._own is None:
            self._own = self._redis.open_separate()
        try:
            found = await self._own.call(*words, *names, *cursors.values())
        except BaseException:  # a cancelled wait, too: the next one must not get its answer
            await self._close()
            raise
        return {
            names[name]: tuple(parse_event(event_id, fields) for event_id, fields in entries)
            for name, entries in found or ()
        }

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._close()

    async def _close(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            with suppress(StoreUnavailable):
                await own.aclose()
