"""The logs of open runs: what their journals hold so far is written to the record every few seconds.

Such a log is a courtesy to people who read along, and what is left of a run whose worker dies. It is lost while the
store is away, and nothing waits for it: neither the work on hosts nor the heartbeat. A run that is shorter than
`WRITE_EVERY` is not written before its end.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from core.chunks import chunks
from core.claim import Claim
from core.errors import StoreUnavailable
from core.journal import Journal, RunLog
from infra.store import Store
from infra.store.task_values import OpenLog
from infra.store.values import CHUNK
from workers.record.heartbeat import Heartbeat

log = structlog.get_logger(__name__)

WRITE_EVERY: Final = 2.0
"""Seconds between two rounds, and from the beginning of a run until its log is first written."""
MAX_ROUND_SIZE: Final = 1024 * 1024
"""Characters of journals that one round writes, so that it takes milliseconds; logs written longest ago go first."""


@dataclass(slots=True, eq=False)
class _OpenRun:
    """A run that goes on."""

    claim: Claim
    journal: Journal
    began: float
    """When it began, by the monotonic clock."""
    last_written: float
    """When its log was last written, or else when it began."""
    lines_written: int = 0
    """How many lines of its journal are in the record."""


class OpenLogs:
    """Writes what the runs of this process have done so far. Lives on the event loop.

    Args:
        store: the record.
        heartbeat: the process that runs them.
        monotonic: the clock to measure with, in seconds.
    """

    def __init__(self, store: Store, heartbeat: Heartbeat, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._heartbeat = heartbeat
        self._monotonic = monotonic
        self._runs: set[_OpenRun] = set()
        self._room = MAX_ROUND_SIZE

    @contextmanager
    def track(self, claim: Claim, journal: Journal) -> Iterator[None]:
        """Count a claim's run among the open ones."""
        now = self._monotonic()
        run = _OpenRun(claim, journal, now, now)
        self._runs.add(run)
        try:
            yield
        finally:
            self._runs.remove(run)

    async def write_forever(self) -> None:
        """Write a round every `WRITE_EVERY` seconds until cancelled. What the store does not take is dropped."""
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                await self.write()
            except StoreUnavailable as error:
                log.warning("logs of open runs not written", error=str(error))

    async def write(self) -> None:
        """Write the journals that grew since they were last written, as many as one round may.

        Raises:
            StoreUnavailable: the store does not answer; what was not written is due again.
        """
        now = self._monotonic()
        for runs in chunks(self._choose_runs(now), CHUNK):
            sizes = [len(run.journal.lines) for run in runs]
            await self._store.tasks.note_logs([OpenLog(run.claim.key, self._make_log(run)) for run in runs])
            for run, size in zip(runs, sizes, strict=True):
                run.lines_written, run.last_written = size, now

    def _choose_runs(self, now: float) -> list[_OpenRun]:
        """Return the runs of a round. One that is longer than a round is written too; the next rounds pay for it."""
        runs = []
        self._room = min(MAX_ROUND_SIZE, self._room + MAX_ROUND_SIZE)
        for run in sorted(self._list_due(now), key=lambda run: run.last_written):
            if self._room <= 0:
                break
            self._room -= run.journal.size
            runs.append(run)
        return runs

    def _list_due(self, now: float) -> Iterable[_OpenRun]:
        return (
            run for run in self._runs if now - run.began >= WRITE_EVERY and len(run.journal.lines) > run.lines_written
        )

    def _make_log(self, run: _OpenRun) -> RunLog:
        lines, executor = tuple(run.journal.lines), self._heartbeat.worker.name
        return RunLog(run.claim.operation, run.claim.run_time, executor, lines, closed=False)
