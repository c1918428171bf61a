"""The tasks' streams of events: read at once, or waited for on a connection of their own."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from core.errors import StoreUnavailable
from core.event import TaskEvent
from infra.store import keys
from infra.store.codec.event import parse_event
from infra.store.connection import Argument, Connection

_BATCH: Final = 500
"""At most so many events of one task are read at a time while it is followed."""


class Streams:
    """The streams of one fleet."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._own: Connection | None = None
        """What the follower waits on, so that nobody else waits behind it."""

    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        """Return the events of a task that are kept, oldest first."""
        entries = await self._redis.call("XRANGE", keys.events(task_id), "-", "+")
        return tuple(parse_event(event_id, fields) for event_id, fields in entries)

    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        """Return what happened after the cursors, waiting at most `patience` seconds for it."""
        names = {keys.events(task_id): task_id for task_id in cursors}
        words: tuple[Argument, ...] = ("XREAD", "COUNT", _BATCH, "BLOCK", max(1, round(patience * 1000)), "STREAMS")
        if self._own is None:
            self._own = self._redis.open_separate()
        try:
            found = await self._own.call(*words, *names, *cursors.values())
        except BaseException:  # also a cancelled wait: its answer must not become that of the next one
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
