"""Everything that is known of a task in one archive: its subtasks in order, and the log of every run.

The archive is written as it is sent: what is in memory at a time is a few logs, and the archive's table of contents.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

from typing_extensions import Buffer, override

from app.tasks.log_view import log_text
from core.journal import RunLog
from core.record import SubtaskRecord, TaskRecord
from core.status import Operation

_AT_ONCE: Final = 64
"""So many logs are written before what they made is sent."""
_LEVEL: Final = 1
"""The logs of a fleet resemble each other; a higher level makes the archive hardly smaller."""
_SUFFIXES: Final = MappingProxyType(
    {Operation.SKIP: "_skip", Operation.ROLLBACK: "_rollback", Operation.ROLLBACK_SKIP: "_rollback_skip"}
)
"""What tells the files of a run's skip and of its undoing from the run's own."""


class _Sink(io.RawIOBase):
    """What the archive is written to: keeps what was not taken yet."""

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
        """Return what was written since the last call."""
        taken, self._pending = bytes(self._pending), bytearray()
        return taken


async def diagnosis(
    task: TaskRecord, stored: Mapping[int, SubtaskRecord], logs: AsyncIterator[tuple[int, RunLog]]
) -> AsyncIterator[bytes]:
    """Yield a ZIP archive, piece by piece.

    Args:
        task: the task's head.
        stored: what happened to its subtasks, by seriesId.
        logs: the seriesId and the log of every run.

    Raises:
        StoreUnavailable: a log cannot be read; the archive ends in the middle.
    """
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        await asyncio.to_thread(_write_order, archive, task, stored)
        del stored  # it is large, and the logs take longer
        yield sink.take()
        batch: list[tuple[int, RunLog]] = []
        async for entry in logs:
            batch.append(entry)
            if len(batch) == _AT_ONCE:
                await asyncio.to_thread(_write_logs, archive, task, batch)
                batch = []
                yield sink.take()
        await asyncio.to_thread(_write_logs, archive, task, batch)
    yield sink.take()


def _write_order(archive: ZipFile, task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> None:
    with archive.open("task_info.txt", "w") as file:
        for line in _order(task, stored):
            file.write(line.encode())


def _order(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[str]:
    """Yield a line for each subtask, those before it first: its id, where it stands, and the ids that it waits for."""
    for planned in task.plan:
        upstream = ",".join(str(task.first_subtask_id + series_id) for series_id in task.plan.upstream(planned)) or "-"
        for series_id, record in task.derive_step(planned, stored):
            yield f"{task.first_subtask_id + series_id} {record.status} {upstream}\n"


def _write_logs(archive: ZipFile, task: TaskRecord, logs: Sequence[tuple[int, RunLog]]) -> None:
    for series_id, log in logs:
        name = f"subtask_{task.first_subtask_id + series_id}_{log.run_time}{_SUFFIXES.get(log.operation, '')}.log"
        archive.writestr(name, log_text((log,), task.trace_id) + "\n")
