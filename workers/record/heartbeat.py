"""This process in the record: its number, its beats, and whether its claims stand.

The beat runs on the loop that runs SSH, so a loop that hangs stops beating. While a beat succeeded a moment ago nobody
may have called this process lost, and its claims stand without asking; after a pause (a frozen process, a store out of
reach) the record is asked before each remote command. A store that was out of reach may be another one since, a replica
that never heard of the last claims: so the first beat that succeeds then sees which of them the record has.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import structlog

from core.claim import Claim, ClaimKey, Worker
from core.errors import StoreUnavailable
from infra.store import Store

log = structlog.get_logger(__name__)


class Running:
    """The runs that this process is at, so that they can be abandoned."""

    def __init__(self) -> None:
        self._runs: dict[ClaimKey, asyncio.Task[object]] = {}
        self._cancelled: set[ClaimKey] = set()
        self._given_up: set[ClaimKey] = set()

    @contextmanager
    def of(self, claim: Claim) -> Iterator[None]:
        """Count the current asyncio task as a claim's run; it may be cancelled from then on, once."""
        run = asyncio.current_task()
        if run is None:
            raise RuntimeError("a run is an asyncio task")
        self._runs[claim.key] = run
        try:
            yield
        finally:
            if self._runs.get(claim.key) is run:
                del self._runs[claim.key]

    @property
    def claims(self) -> tuple[ClaimKey, ...]:
        """The claims whose runs go on."""
        return tuple(self._runs)

    def cancel(self, claims: Iterable[ClaimKey]) -> None:
        """Abandon the runs of claims, as far as they are this process's and have not been abandoned before."""
        for claim in claims:
            run = self._runs.get(claim)
            if run is not None and claim not in self._cancelled:
                self._cancelled.add(claim)
                run.cancel()

    def abandoned(self, claim: Claim) -> bool:
        """Return, once, whether a run was abandoned."""
        if claim.key not in self._cancelled:
            return False
        self._cancelled.discard(claim.key)
        return True

    def cancel_all(self) -> None:
        """Abandon every run: the record does not know this process any more, and their claims are others' by now."""
        self.cancel(tuple(self._runs))

    def give_up(self) -> None:
        """Break every run off, for its host to be handed over: the process must end."""
        for claim, run in self._runs.items():
            self._given_up.add(claim)
            run.cancel()

    def given_up(self, claim: Claim) -> bool:
        """Return, once, whether a run was broken off to be handed over."""
        if claim.key not in self._given_up:
            return False
        self._given_up.discard(claim.key)
        return True


class ClaimLostError(Exception):
    """A claim no longer stands: stop working on its host, write nothing."""


class Presence:
    """Enrols a worker process and keeps it alive in the record."""

    def __init__(
        self,
        store: Store,
        worker: Worker,
        *,
        every: float,
        alive_for: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the presence of an enrolled worker.

        Args:
            store: the record.
            worker: this process, as the record knows it.
            every: seconds between two beats.
            alive_for: seconds after a beat for which the process counts as alive.
            monotonic: the clock to measure pauses with.
        """
        self.worker = worker
        self._store = store
        self._every = every
        self._alive_for = alive_for
        self._monotonic = monotonic
        self._last = self._asked = monotonic()
        self._in_doubt = False
        self.running = Running()
        self.in_hand: set[ClaimKey] = set()
        """The claims that somebody in this process knows of. The record may have others: an answer can be lost."""

    async def beat_for_ever(self) -> None:
        """Beat until cancelled. A store that does not answer is tried again at the next beat."""
        while True:
            try:
                await self.beat()
            except StoreUnavailable as error:
                self.doubt()
                log.warning("beat failed", error=str(error))
            await asyncio.sleep(self._every)

    async def beat(self) -> None:
        """Raise this process's counter once; enrol anew where the record does not know it any more."""
        sent = self._monotonic()
        beat = await self._store.workers.beat(self.worker, int(self._alive_for * 1000))
        if not beat.known:
            self.worker = await self._store.workers.enrol(self.worker.name)
            log.warning("the record did not know this worker, enrolled anew", worker=self.worker.id)
            self.running.cancel_all()
            return
        if self._in_doubt:
            self._in_doubt = False
            await self._abandon_unknown()
        if not self._in_doubt:  # nobody met an outage meanwhile
            self._last = sent
        self.running.cancel(beat.cancelled)

    def doubt(self) -> None:
        """Trust no claim until the record was asked: the store did not answer, and may have forgotten the last ones."""
        self._in_doubt = True
        self._last = -math.inf

    async def _abandon_unknown(self) -> None:
        """Abandon the runs of claims that the record does not have."""
        running = self.running.claims
        known = frozenset(await self._store.workers.claims(self.worker)) if running else frozenset()
        forgotten = [claim for claim in running if claim not in known]
        if forgotten:
            log.warning("the record has forgotten claims, their hosts are left alone", claims=len(forgotten))
            self.running.cancel(forgotten)

    def awake(self) -> bool:
        """Return whether this process cannot have stood still for long since it knew last that a claim stands.

        Asked in the moment before a command is sent: between `require` and that moment lies a way to the host.
        """
        return self._monotonic() - max(self._last, self._asked) < 2 * self._every

    async def require(self, claim: Claim) -> None:
        """See that a claim stands; called before each remote command.

        Raises:
            ClaimLostError: it does not.
            StoreUnavailable: it has to be asked for, and the store does not answer.
        """
        now = self._monotonic()
        if now - self._last < 2 * self._every:
            return
        if not await self._store.tasks.stands(claim):
            raise ClaimLostError
        self._asked = now
