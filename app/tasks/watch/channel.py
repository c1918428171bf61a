"""What one process knows of a task that somebody watches: its head, its newest events, its failed hosts.

All watchers of a task share one channel. A channel has no queue for them. Each watcher names the event that it saw last
and takes what happened since, so a slow watcher delays nobody and costs nothing.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from core.event import NO_EVENT, TaskEvent, parse_cursor
from core.plan import NO_PARALLEL_INDEX
from core.record import SubtaskRecord, TaskRecord
from core.status import Status, TaskStatus
from core.text import Text

MAX_EVENTS: Final = 2000
"""How many of a task's newest events a channel keeps. A watcher that missed more starts again from a snapshot."""


class Channel:
    """A task that is watched.

    Args:
        task: its head.
        host_ids: its hosts, in the order of parallelIdx.
        events: those of its events that the store keeps, oldest first, read before the head.
        stored: what happened to its subtasks, read after the head.
    """

    def __init__(
        self,
        task: TaskRecord,
        host_ids: Sequence[int],
        events: Iterable[TaskEvent],
        stored: Mapping[int, SubtaskRecord],
    ) -> None:
        self.task = task
        self.watchers = 0
        self.closing: Text | None = None
        """Why the channel is closed, in a sentence for its watchers; None while it is open."""
        self._host_ids = host_ids
        self._events = deque(events, MAX_EVENTS)
        self._told = task.status
        """The task's status by its events."""
        self._failed = {series_id for series_id, record in stored.items() if record.status is Status.FAILED}
        self._news = asyncio.Event()
        self._messages: dict[str, bytes] = {}

    @property
    def last_id(self) -> str:
        """The id of the newest event, or the id before all events where none is kept."""
        return self._events[-1].id if self._events else NO_EVENT

    @property
    def is_over(self) -> bool:
        """Whether the task has ended, by its head and by its events."""
        return self.task.status is not TaskStatus.RUNNING and self._told is not TaskStatus.RUNNING

    def add(self, events: Iterable[TaskEvent], task: TaskRecord) -> None:
        """Add events and the head after them, and wake the watchers."""
        for event in events:
            self._events.append(event)
            self._told = event.task or self._told
            for status, spans in event.changed.items():
                self._mark(spans, failed=status is Status.FAILED)
        self.task = task
        self._wake()

    def close(self, sentence: Text) -> None:
        """Close the channel, with a sentence that tells its watchers why."""
        self.closing = sentence
        self._wake()

    def _wake(self) -> None:
        self._messages.clear()
        self._news.set()
        self._news = asyncio.Event()

    def _mark(self, spans: Iterable[tuple[int, int]], *, failed: bool) -> None:
        for first, last in spans:
            series = range(first, last + 1)
            if failed:
                self._failed.update(series)
            elif self._failed:
                self._failed.difference_update(series)

    def has_all_since(self, cursor: str) -> bool:
        """Return whether the channel has all events after a cursor."""
        try:
            place = parse_cursor(cursor)
        except ValueError:
            return False
        if not self._events:
            return False
        return parse_cursor(self._events[0].id) <= place <= parse_cursor(self.last_id)

    def list_events_since(self, cursor: str) -> list[TaskEvent]:
        """Return the events after a cursor, oldest first, if `has_all_since` is true for it."""
        place, found = parse_cursor(cursor), []
        for event in reversed(self._events):
            if parse_cursor(event.id) <= place:
                break
            found.append(event)
        return found[::-1]

    def list_failed_hosts(self) -> Iterator[int]:
        """Yield the ids of the hosts that have a FAILED subtask, in the order of the task."""
        indices = set()
        for series_id in self._failed:
            index = self.task.plan.find_step(series_id).parallel_index(series_id)
            if index != NO_PARALLEL_INDEX:
                indices.add(index)
        return (self._host_ids[index] for index in sorted(indices))

    def share(self, key: str, message: bytes | None = None) -> bytes | None:
        """Return the message that another watcher made for the same key since the last change, or keep one."""
        if message is not None:
            self._messages[key] = message
        return self._messages.get(key)

    async def wait_for_news(self, cursor: str, patience: float) -> bool:
        """Wait at most `patience` seconds for anything after a cursor. Return whether there is anything."""
        if cursor != self.last_id or self.is_over or self.closing is not None:
            return True
        try:
            await asyncio.wait_for(self._news.wait(), patience)
        except TimeoutError:
            return False
        return True
