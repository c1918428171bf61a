"""The heartbeat of this process in the record, and whether its claims still stand.

The heartbeat runs on the loop that runs SSH, so a loop that hangs stops beating. After a recent beat nobody can have
called this process lost, and its claims stand without asking. After a pause (a frozen process, a store that was away)
the record is asked before each remote command. A store that comes back can be another one, a replica that never heard
of the last claims: so the first beat that succeeds then checks which claims the record has.
"""

import asyncio
import math
import time
from collections.abc import Callable

import structlog

from core.claim import Claim, ClaimKey, Worker
from core.errors import StoreUnavailable
from infra.store import Store
from workers.record.active_runs import ActiveRuns

log = structlog.get_logger(__name__)


class ClaimLostError(Exception):
    """A claim no longer stands: stop the work on its host and write nothing."""


class Heartbeat:
    """Keeps an enrolled worker process alive in the record.

    Args:
        store: the record.
        worker: this process, as the record knows it.
        every: seconds between two beats.
        alive_for: seconds after a beat for which the process counts as alive.
        monotonic: the clock to measure pauses with, in seconds.
    """

    def __init__(
        self,
        store: Store,
        worker: Worker,
        *,
        every: float,
        alive_for: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worker = worker
        self._store = store
        self._every = every
        self._alive_for = alive_for
        self._monotonic = monotonic
        self._last_beat = self._last_check = monotonic()
        self._in_doubt = False
        self.runs = ActiveRuns()
        self.known_claims: set[ClaimKey] = set()
        """The claims that this process knows of. The record may have others: an answer can be lost."""

    async def beat_forever(self) -> None:
        """Beat until cancelled. When the store does not answer, the next beat tries again."""
        while True:
            try:
                await self.beat()
            except StoreUnavailable as error:
                self.distrust_claims()
                log.warning("beat failed", error=str(error))
            await asyncio.sleep(self._every)

    async def beat(self) -> None:
        """Raise this process's counter once; enrol again where the record does not know the process any more."""
        sent = self._monotonic()
        beat = await self._store.workers.beat(self.worker, int(self._alive_for * 1000))
        if not beat.known:
            self.worker = await self._store.workers.enrol(self.worker.name)
            log.warning("the record did not know this worker, enrolled anew", worker=self.worker.id)
            self.runs.cancel_all()
            return
        if self._in_doubt:
            self._in_doubt = False
            await self._cancel_unknown_runs()
        if not self._in_doubt:  # the store has not failed again meanwhile
            self._last_beat = sent
        self.runs.cancel(beat.cancelled)

    def distrust_claims(self) -> None:
        """Trust no claim before the record was asked: the store did not answer, and may have forgotten some claims."""
        self._in_doubt = True
        self._last_beat = -math.inf

    async def _cancel_unknown_runs(self) -> None:
        """Break off the runs of claims that the record does not have."""
        claims = self.runs.claims
        recorded = frozenset(await self._store.workers.claims(self.worker)) if claims else frozenset()
        forgotten = [claim for claim in claims if claim not in recorded]
        if forgotten:
            log.warning("the record has forgotten claims, their hosts are left alone", claims=len(forgotten))
            self.runs.cancel(forgotten)

    def may_send(self) -> bool:
        """Return whether this process cannot have been frozen for long since it last knew that its claims stand.

        Asked immediately before a command is sent: the way to a host lies between `require_claim` and that moment.
        """
        return self._monotonic() - max(self._last_beat, self._last_check) < 2 * self._every

    async def require_claim(self, claim: Claim) -> None:
        """Check that a claim stands; called before each remote command.

        Raises:
            ClaimLostError: it does not.
            StoreUnavailable: the record has to be asked, and the store does not answer.
        """
        now = self._monotonic()
        if now - self._last_beat < 2 * self._every:
            return
        if not await self._store.tasks.stands(claim):
            raise ClaimLostError
        self._last_check = now
