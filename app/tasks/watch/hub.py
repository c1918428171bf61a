"""The one reader of the store in this process: it waits for all tasks that are watched at once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

from app.tasks.watch.channel import Channel
from core.errors import FleetError, StoreUnavailable, TaskNotFound, Unavailable
from core.event import TaskEvent
from core.record import TaskRecord
from core.status import Status
from core.text import Text, say
from infra.store import Store

_PATIENCE: Final = 0.25
"""Seconds that one wait takes at the most: for so long is a task that somebody begins to watch not waited for."""
_BREATH: Final = 0.05
"""Seconds between two reads; in a busy fleet each brings what happened to all tasks in between."""
_LOOK_AGAIN: Final = 10.0
"""Seconds after which the heads of quiet tasks are read, too: one may have been withdrawn."""
STOPPING: Final = say("This server stops. Connect again with Last-Event-ID; another one goes on from there.")

log = structlog.get_logger("ocpfleet.api")


class Hub:
    """The tasks that are watched through this process.

    Args:
        store: what is read.
        most: so many watchers are served at a time.
    """

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._watchers = 0
        self._channels: dict[int, asyncio.Task[Channel]] = {}
        self._open: dict[int, Channel] = {}
        self._joining: Counter[int] = Counter()
        """By task: how many wait for its channel to be opened."""
        self._reader: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def watchers(self) -> int:
        """How many watch at the moment."""
        return self._watchers

    async def join(self, task: TaskRecord) -> Channel:
        """Return the channel of a task, which counts one more watcher until `leave`.

        Raises:
            Unavailable: too many watch already, or this server stops.
            TaskNotFound: the task is gone.
            StoreUnavailable: the task cannot be read.
        """
        if self._stopping:
            raise Unavailable(STOPPING, retry_after=1)
        if self._watchers >= self._most:
            raise Unavailable(
                say(
                    "{most} clients watch tasks through this server already. Try again, ask another server, "
                    "poll the task with If-None-Match, or raise OCPFLEET_MAX_WATCHERS.",
                    most=self._most,
                )
            )
        opening = self._channels.get(task.id)
        if opening is None:
            opening = self._channels[task.id] = asyncio.create_task(self._opened(task.id))
        self._watchers += 1
        self._joining[task.id] += 1
        try:
            channel = await asyncio.shield(opening)
            channel.watchers += 1
        except BaseException:
            self._watchers -= 1
            opening.add_done_callback(self._close_unwatched)
            raise
        finally:
            self._joining[task.id] -= 1
            if not self._joining[task.id]:
                del self._joining[task.id]
        return channel

    def _close_unwatched(self, opening: "asyncio.Task[Channel]") -> None:
        """Close a channel again whose watchers all left before it was open."""
        if opening.cancelled() or opening.exception() is not None:
            return
        channel = opening.result()
        if not channel.watchers and not self._joining[channel.task.id]:
            self._close(channel)

    async def _opened(self, task_id: int) -> Channel:
        """Open a channel, once for however many wait for it."""
        try:
            channel = await self._loaded(task_id)
        except BaseException:
            self._channels.pop(task_id, None)
            raise
        if self._stopping:
            channel.part(STOPPING)
        self._open[task_id] = channel
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return channel

    async def _loaded(self, task_id: int) -> Channel:
        tasks = self._store.tasks
        # The events first: what happens after that is told again, which does no harm.
        events = await tasks.events(task_id)
        task = await tasks.head(task_id)
        if task is None:
            raise TaskNotFound(_gone(task_id))
        # Read for what has failed alone, which of most tasks is nothing, and of 10,000 hosts it takes a while.
        stored = await tasks.subtasks(task) if _has_failed(task) else {}
        return Channel(task, await tasks.host_ids(task_id), events, stored)

    def leave(self, channel: Channel) -> None:
        """Count one watcher less; a channel without any is closed."""
        self._watchers -= 1
        channel.watchers -= 1
        if not channel.watchers and not self._joining[channel.task.id]:
            self._close(channel)

    def _close(self, channel: Channel) -> None:
        if self._open.get(channel.task.id) is channel:
            del self._open[channel.task.id]
            del self._channels[channel.task.id]

    def stop(self) -> None:
        """End every stream, with a sentence; nobody joins any more."""
        self._stopping = True
        self._part_all(STOPPING)

    async def aclose(self) -> None:
        """Stop, and end the reader."""
        self.stop()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _part_all(self, sentence: Text) -> None:
        for channel in tuple(self._open.values()):
            self._close(channel)
            channel.part(sentence)

    async def _read(self) -> None:
        """Follow what is watched until nothing is."""
        looked = asyncio.get_running_loop().time()
        while self._open:
            now = asyncio.get_running_loop().time()
            look = now - looked > _LOOK_AGAIN
            looked = now if look else looked
            try:
                await self._read_once(look=look)
            except FleetError as error:
                self._part_all(_outage(error))
            except Exception:  # a fault of ours: logged, and the watchers are told to come again
                log.exception("fault", what="the reader of the watched tasks")
                self._part_all(say("A fault of this server. Connect again with Last-Event-ID."))
            await asyncio.sleep(_BREATH)

    async def _read_once(self, *, look: bool) -> None:
        tasks = self._store.tasks
        cursors = {task_id: channel.last_id for task_id, channel in self._open.items()}
        found = await tasks.follow(cursors, _PATIENCE)
        wanted = cursors if look else found
        if wanted:
            self._spread(tuple(wanted), found, await tasks.heads(tuple(wanted)))

    def _spread(
        self, wanted: tuple[int, ...], found: Mapping[int, tuple[TaskEvent, ...]], heads: Mapping[int, TaskRecord]
    ) -> None:
        for task_id in wanted:
            channel = self._open.get(task_id)
            if channel is None:
                continue
            if task_id not in heads:
                self._close(channel)
                channel.part(_gone(task_id))
            elif task_id in found or heads[task_id].changes != channel.task.changes:
                channel.take(found.get(task_id, ()), heads[task_id])


def _has_failed(task: TaskRecord) -> bool:
    return any(count for (_, status), count in task.counts.items() if status is Status.FAILED)


def _gone(task_id: int) -> Text:
    return say("There is no task {id} any more: it was withdrawn or has expired.", id=task_id)


def _outage(error: FleetError) -> Text:
    what = say("The store does not answer.") if isinstance(error, StoreUnavailable) else error.sentence
    return say("{what} Connect again with Last-Event-ID: nothing that happens meanwhile is lost.", what=what)
