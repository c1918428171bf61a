"""The hub of all tasks that are watched through this process. One reader of the store waits for all of them at once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.requests import Request

from app.tasks.watch.channel import Channel
from app.tasks.watch.pace import StreamPace
from core.errors import FleetError, StoreUnavailable, TaskNotFound, Unavailable
from core.event import TaskEvent
from core.record import TaskRecord
from core.status import Status
from core.text import Text, say
from infra.store import Store

_PATIENCE: Final = 0.25
"""Seconds that one wait takes at most. A task that is newly watched is not waited for until it ends."""
_BREATH: Final = 0.05
"""Seconds between two reads. In a busy fleet each read brings what happened to all tasks in between."""
_LOOK_AGAIN: Final = 10.0
"""Seconds after which the heads of quiet tasks are read too, since a task may have been withdrawn."""
STOPPING: Final = say(
    "This server is stopping. Connect again with Last-Event-ID, and another server continues the stream."
)

log = structlog.get_logger("ocpfleet.api")


class Hub:
    """The tasks that are watched through this process.

    Args:
        store: what is read.
        max_watchers: how many watchers are served at a time.
        pace: how often watchers hear something.
    """

    def __init__(self, store: Store, max_watchers: int, pace: StreamPace | None = None) -> None:
        self._store = store
        self._max_watchers = max_watchers
        self.pace = pace or StreamPace()
        self._watchers = 0
        self._channels: dict[int, asyncio.Task[Channel]] = {}
        self._open: dict[int, Channel] = {}
        self._joining: Counter[int] = Counter()
        """How many watchers wait for a task's channel to open, by task."""
        self._reader: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def watchers(self) -> int:
        """How many watchers there are."""
        return self._watchers

    async def join(self, task: TaskRecord) -> Channel:
        """Return the channel of a task, and count one more watcher until `leave`.

        Raises:
            Unavailable: there are too many watchers, or this server stops.
            TaskNotFound: the task no longer exists.
            StoreUnavailable: the task cannot be read.
        """
        if self._stopping:
            raise Unavailable(STOPPING, retry_after=1)
        if self._watchers >= self._max_watchers:
            raise Unavailable(
                say(
                    "{most} clients already watch tasks through this server. Try again, ask another server, poll the "
                    "task with If-None-Match, or raise OCPFLEET_MAX_WATCHERS.",
                    most=self._max_watchers,
                )
            )
        opening = self._channels.get(task.id)
        if opening is None:
            opening = self._channels[task.id] = asyncio.create_task(self._open_channel(task.id))
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
        """Close a channel whose watchers all left before it was open."""
        if opening.cancelled() or opening.exception() is not None:
            return
        channel = opening.result()
        if not channel.watchers and not self._joining[channel.task.id]:
            self._close(channel)

    async def _open_channel(self, task_id: int) -> Channel:
        """Open a channel, once for all who wait for it."""
        try:
            channel = await self._load_channel(task_id)
        except BaseException:
            self._channels.pop(task_id, None)
            raise
        if self._stopping:
            channel.close(STOPPING)
        self._open[task_id] = channel
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return channel

    async def _load_channel(self, task_id: int) -> Channel:
        tasks = self._store.tasks
        # Events are read first. What happens after that is told again, which does no harm.
        events = await tasks.events(task_id)
        task = await tasks.head(task_id)
        if task is None:
            raise TaskNotFound(_explain_loss(task_id))
        # Only failed subtasks matter here. Most tasks have none, and reading 10,000 hosts takes a while.
        stored = await tasks.subtasks(task) if _has_failed(task) else {}
        return Channel(task, await tasks.host_ids(task_id), events, stored)

    def leave(self, channel: Channel) -> None:
        """Count one watcher less. A channel without watchers is closed."""
        self._watchers -= 1
        channel.watchers -= 1
        if not channel.watchers and not self._joining[channel.task.id]:
            self._close(channel)

    def _close(self, channel: Channel) -> None:
        if self._open.get(channel.task.id) is channel:
            del self._open[channel.task.id]
            del self._channels[channel.task.id]

    def stop(self) -> None:
        """End every stream with a sentence, and let nobody join any more."""
        self._stopping = True
        self._close_all(STOPPING)

    async def aclose(self) -> None:
        """Stop, and end the reader."""
        self.stop()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _close_all(self, sentence: Text) -> None:
        for channel in tuple(self._open.values()):
            self._close(channel)
            channel.close(sentence)

    async def _read(self) -> None:
        """Follow all watched tasks until none is left."""
        looked = asyncio.get_running_loop().time()
        while self._open:
            now = asyncio.get_running_loop().time()
            look = now - looked > _LOOK_AGAIN
            looked = now if look else looked
            try:
                await self._read_once(look=look)
            except FleetError as error:
                self._close_all(_explain_outage(error))
            except Exception:  # a bug: logged, and the watchers are told to connect again
                log.exception("fault", what="the reader of the watched tasks")
                self._close_all(say("This server met an unexpected error. Connect again with Last-Event-ID."))
            await asyncio.sleep(_BREATH)

    async def _read_once(self, *, look: bool) -> None:
        tasks = self._store.tasks
        cursors = {task_id: channel.last_id for task_id, channel in self._open.items()}
        found = await tasks.follow(cursors, _PATIENCE)
        wanted = cursors if look else found
        if wanted:
            self._distribute(tuple(wanted), found, await tasks.heads(tuple(wanted)))

    def _distribute(
        self, wanted: tuple[int, ...], found: Mapping[int, tuple[TaskEvent, ...]], heads: Mapping[int, TaskRecord]
    ) -> None:
        for task_id in wanted:
            channel = self._open.get(task_id)
            if channel is None:
                continue
            if task_id not in heads:
                self._close(channel)
                channel.close(_explain_loss(task_id))
            elif task_id in found or heads[task_id].changes != channel.task.changes:
                channel.add(found.get(task_id, ()), heads[task_id])


def hub_of(request: Request) -> Hub:
    """Return the hub of the process that answers a request."""
    hub: Hub = request.app.state.hub
    return hub


def _has_failed(task: TaskRecord) -> bool:
    return any(count for (_, status), count in task.counts.items() if status is Status.FAILED)


def _explain_loss(task_id: int) -> Text:
    return say("Task {id} no longer exists: it was withdrawn or has expired.", id=task_id)


def _explain_outage(error: FleetError) -> Text:
    what = say("The store does not answer.") if isinstance(error, StoreUnavailable) else error.sentence
    return say("{what} Connect again with Last-Event-ID: nothing that happens in the meantime is lost.", what=what)
