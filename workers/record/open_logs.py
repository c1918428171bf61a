"""The logs of runs that go on: what a journal has so far is written to the record every few seconds.

A note is a courtesy to whoever reads along, and what is left of a run whose worker dies. It is lost where the store is
away, and nothing waits for it: neither the work on the hosts nor the beats. Runs shorter than `EVERY` are never noted.
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
from workers.record.heartbeat import Presence

log = structlog.get_logger(__name__)

EVERY: Final = 2.0
"""Seconds between two rounds, and from the beginning of a run to its first note."""
AT_ONCE: Final = 1024 * 1024
"""Characters of journals that one round writes, so that it takes milliseconds; the runs noted longest ago go first."""


@dataclass(slots=True, eq=False)
class _Run:
    """A run that goes on."""

    claim: Claim
    journal: Journal
    began: float
    """When, by the monotonic clock."""
    last: float
    """When it was noted last, or else began."""
    noted: int = 0
    """How many lines of its journal are in the record."""


class Notes:
    """Writes what the runs of this process have done so far. Lives on the event loop.

    Args:
        store: the record.
        presence: who runs them.
        monotonic: the clock to measure with, in seconds.
    """

    def __init__(self, store: Store, presence: Presence, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._presence = presence
        self._monotonic = monotonic
        self._runs: set[_Run] = set()
        self._room = AT_ONCE

    @contextmanager
    def of(self, claim: Claim, journal: Journal) -> Iterator[None]:
        """Count a claim's run among those that go on."""
        now = self._monotonic()
        run = _Run(claim, journal, now, now)
        self._runs.add(run)
        try:
            yield
        finally:
            self._runs.remove(run)

    async def write_for_ever(self) -> None:
        """Write a round every `EVERY` seconds until cancelled. What a store that is away did not take, is dropped."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.write()
            except StoreUnavailable as error:
                log.warning("logs of what goes on not written", error=str(error))

    async def write(self) -> None:
        """Write the journals that grew since they were written last, as many as one round may.

        Raises:
            StoreUnavailable: it does not answer; what was not written is due again.
        """
        now = self._monotonic()
        for runs in chunks(self._chosen(now), CHUNK):
            sizes = [len(run.journal.lines) for run in runs]
            await self._store.tasks.note_logs([OpenLog(run.claim.key, self._log(run)) for run in runs])
            for run, size in zip(runs, sizes, strict=True):
                run.noted, run.last = size, now

    def _chosen(self, now: float) -> list[_Run]:
        """Return the runs of a round. One longer than a round is written all the same, at the cost of the next ones."""
        chosen = []
        self._room = min(AT_ONCE, self._room + AT_ONCE)
        for run in sorted(self._due(now), key=lambda run: run.last):
            if self._room <= 0:
                break
            self._room -= run.journal.size
            chosen.append(run)
        return chosen

    def _due(self, now: float) -> Iterable[_Run]:
        return (run for run in self._runs if now - run.began >= EVERY and len(run.journal.lines) > run.noted)

    def _log(self, run: _Run) -> RunLog:
        lines, executor = tuple(run.journal.lines), self._presence.worker.name
        return RunLog(run.claim.operation, run.claim.run_time, executor, lines, closed=False)
