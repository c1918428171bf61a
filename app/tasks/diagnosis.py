"""Writes all that is known of a task into one archive: its subtasks in order, and the log of every run.

The archive is written while it is sent. Only a few logs and the table of contents are in memory at a time.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

from typing_extensions import Buffer, override

from app.tasks.log_view import render_log
from core.journal import RunLog
from core.record import SubtaskRecord, TaskRecord
from core.status import Operation

_LOGS_AT_A_TIME: Final = 64
"""How many logs are written before their bytes are sent."""
_LEVEL: Final = 1
"""The logs of a fleet are much alike. A higher level hardly makes the archive smaller."""
_SUFFIXES: Final = MappingProxyType(
    {Operation.SKIP: "_skip", Operation.ROLLBACK: "_rollback", Operation.ROLLBACK_SKIP: "_rollback_skip"}
)
"""Suffixes of the files of a run's skip and rollback. The run itself has a file without a suffix."""


class _Sink(io.RawIOBase):
    """The file that the archive is written to. It keeps the bytes that were not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self._pending = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, written: Buffer, /) -> int:
        data = memoryview(written)
        self._pending += data
        return data.nbytes

    def take(self) -> bytes:
        """Return the bytes that were written since the last call."""
        taken, self._pending = bytes(self._pending), bytearray()
        return taken


async def write_archive(
    task: TaskRecord, stored: Mapping[int, SubtaskRecord], logs: AsyncIterator[tuple[int, RunLog]]
) -> AsyncIterator[bytes]:
    """Yield a ZIP archive in pieces.

    Args:
        task: the task's head.
        stored: what happened to its subtasks, by seriesId.
        logs: the seriesId and the log of every run.

    Raises:
        StoreUnavailable: a log cannot be read. The archive ends in the middle.
    """
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        await asyncio.to_thread(_write_subtasks, archive, task, stored)
        del stored  # it is large, and the logs take longer
        yield sink.take()
        batch: list[tuple[int, RunLog]] = []
        async for entry in logs:
            batch.append(entry)
            if len(batch) == _LOGS_AT_A_TIME:
                await asyncio.to_thread(_write_logs, archive, task, batch)
                batch = []
                yield sink.take()
        await asyncio.to_thread(_write_logs, archive, task, batch)
    yield sink.take()


def _write_subtasks(archive: ZipFile, task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> None:
    with archive.open("task_info.txt", "w") as file:
        for line in _list_subtasks(task, stored):
            file.write(line.encode())


def _list_subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[str]:
    """Yield a line for each subtask, in the order of the plan: its id, its status, and the ids that it waits for."""
    for planned in task.plan:
        upstream = ",".join(str(task.first_subtask_id + series_id) for series_id in task.plan.upstream(planned)) or "-"
        for series_id, record in task.derive_step(planned, stored):
            yield f"{task.first_subtask_id + series_id} {record.status} {upstream}\n"


def _write_logs(archive: ZipFile, task: TaskRecord, logs: Sequence[tuple[int, RunLog]]) -> None:
    for series_id, log in logs:
        name = f"subtask_{task.first_subtask_id + series_id}_{log.run_time}{_SUFFIXES.get(log.operation, '')}.log"
        archive.writestr(name, render_log((log,), task.trace_id) + "\n")
