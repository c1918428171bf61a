"""Read tasks, their subtasks, logs and events."""

from collections.abc import AsyncIterator, Mapping, Sequence

from core.chunks import chunks
from core.claim import Claim
from core.event import TaskEvent
from core.journal import RunLog
from core.page import Page
from core.record import SubtaskRecord, TaskRecord
from core.status import Operation, Status, TaskStatus
from infra.store import keys
from infra.store.codec import log as logcodec
from infra.store.codes import LOG_SUFFIXES, LOST_SUFFIXES
from infra.store.connection import Argument, Connection, Reply
from infra.store.parse import parse_head, parse_subtask
from infra.store.task_values import TaskQuery
from infra.store.tasks.part import TaskPart
from infra.store.tasks.streams import Streams
from infra.store.values import CHUNK, StoreOptions

_LOG_SUFFIXES = (
    "",
    LOST_SUFFIXES[False],
    LOG_SUFFIXES[Operation.SKIP],
    LOG_SUFFIXES[Operation.ROLLBACK],
    LOST_SUFFIXES[True],
    LOG_SUFFIXES[Operation.ROLLBACK_SKIP],
)
"""The ends of the fields of a run's logs, in the order in which they are written: run, skip, undoing, its skip."""


class TaskReader(TaskPart):
    """Reads tasks, and follows their events."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        super().__init__(connection, options)
        self._streams = Streams(connection)

    async def heads(self, task_ids: Sequence[int]) -> dict[int, TaskRecord]:
        """Return the heads of the tasks that exist, by id."""
        found: dict[int, TaskRecord] = {}
        for chunk in chunks(task_ids, CHUNK):
            answers = await self._redis.calls([("HGETALL", keys.task(task_id)) for task_id in chunk])
            pairs = zip(chunk, answers, strict=True)
            found.update((task_id, parse_head(task_id, fields)) for task_id, fields in pairs if fields)
        return found

    async def page(self, query: TaskQuery, now: int) -> Page[TaskRecord]:
        """Return a page of tasks in the order of their ids. It takes hardly longer among many tasks."""
        total, ids = await self._redis.run("page", **_page_args(query, now))
        return Page(tuple((await self.heads(ids)).values()), total)

    async def host_ids(self, task_id: int) -> tuple[int, ...]:
        """Return a task's hosts in the order given."""
        return tuple(map(int, await self._redis.call("LRANGE", keys.task_hosts(task_id), 0, -1)))

    async def subtasks(self, task: TaskRecord) -> dict[int, SubtaskRecord]:
        """Return the subtasks that something happened to, by seriesId."""
        return (await self.many_subtasks((task,)))[task.id]

    async def many_subtasks(self, tasks: Sequence[TaskRecord]) -> dict[int, dict[int, SubtaskRecord]]:
        """Return what `subtasks` does for each of several tasks, by task id, in one round trip."""
        queries = [_subtask_queries(task) for task in tasks]
        answers = iter(await self._redis.calls([query for of_task in queries for query in of_task]))
        return {
            task.id: _parse_subtasks(task, [next(answers) for _ in of_task])
            for task, of_task in zip(tasks, queries, strict=True)
        }

    async def subtask(self, task: TaskRecord, series_id: int) -> SubtaskRecord | None:
        """Return the record of a subtask; None if nothing happened to it."""
        raw, executors = await self._redis.calls(
            [("HGET", keys.subtasks(task.id, series_id), series_id), ("HGETALL", keys.task_executors(task.id))]
        )
        names = {number: name for name, number in executors.items()}
        return parse_subtask(raw, task.started, names) if raw else None

    async def stands(self, claim: Claim) -> bool:
        """Return whether a claim still stands."""
        raw = await self._redis.call("HGET", keys.subtasks(claim.task_id, claim.series_id), claim.series_id)
        record = parse_subtask(raw, 0, {}) if raw else None
        return record is not None and record.status is Status.RUNNING and record.token == claim.token

    async def every_log(self, task: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        """Yield the seriesId and the log of every run of every subtask, in order. It reads a part at a time."""
        for first in range(0, task.plan.size, keys.BUCKET):
            stored = await self._redis.call_raw("HGETALL", keys.logs(task.id, first))
            for (series_id, *_), blob in sorted((_log_place(name), blob) for name, blob in stored.items()):
                yield series_id, logcodec.decode(blob)

    async def logs(self, task: TaskRecord, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs, oldest first."""
        record = await self._redis.call("HGET", keys.subtasks(task.id, series_id), series_id)
        runs = parse_subtask(record, task.started, {}).run_time if record else 0
        if not runs:
            return ()
        fields = [f"{series_id}:{run_time}{suffix}" for run_time in range(1, runs + 1) for suffix in _LOG_SUFFIXES]
        stored = await self._redis.call_raw("HMGET", keys.logs(task.id, series_id), *fields)
        return tuple(logcodec.decode(blob) for blob in stored if blob is not None)

    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        """Return the events of a task, oldest first. Some may be gone."""
        return await self._streams.events(task_id)

    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        """Wait until something happens to one of several tasks, for at most `patience` seconds.

        One caller at a time: the wait has a connection of its own.

        Args:
            cursors: by task id, the id of the last event that is known, or `core.event.NO_EVENT`.
            patience: less than the store's timeout.

        Returns:
            The later events by task id, oldest first. Tasks that nothing happened to are left out.
        """
        return await self._streams.follow(cursors, patience)

    async def aclose(self) -> None:
        """Close the connection of the follower."""
        await self._streams.aclose()


def _page_args(query: TaskQuery, now: int) -> dict[str, object]:
    host = "" if query.host_id is None else f":host:{query.host_id}"
    return {
        "now": now,
        "ascending": query.ascending,
        "offset": query.offset,
        "limit": query.limit,
        "scope": host + ("" if query.creator is None else f":creator:{query.creator}"),
        "statuses": list(TaskStatus if query.statuses is None else query.statuses),
        "types": None if query.types is None else list(query.types),
    }


def _subtask_queries(task: TaskRecord) -> list[tuple[Argument, ...]]:
    buckets = (keys.subtasks(task.id, first) for first in range(0, task.plan.size, keys.BUCKET))
    return [("HGETALL", keys.task_executors(task.id)), *(("HGETALL", bucket) for bucket in buckets)]


def _parse_subtasks(task: TaskRecord, answers: Sequence[Reply]) -> dict[int, SubtaskRecord]:
    executors, *records = answers
    names = {number: name for name, number in executors.items()}
    return {
        int(series_id): parse_subtask(raw, task.started, names)
        for bucket in records
        for series_id, raw in bucket.items()
    }


def _log_place(name: bytes) -> tuple[int, int, int]:
    """Return the place of a log among others: subtask, run, and kind of log."""
    series_id, run_time, *suffix = name.decode().split(":")
    return int(series_id), int(run_time), _LOG_SUFFIXES.index("".join(f":{letter}" for letter in suffix))
