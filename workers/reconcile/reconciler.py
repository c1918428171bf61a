"""What makes the system go on by itself: it opens the claims of lost workers again and publishes unclaimed steps.

Any worker reconciles, one at a time; while workers of several versions run, one of each version, since older code
leaves newer records alone. A worker is lost when its counter has not moved for a while on the reconciler's own
monotonic clock: no clocks are compared, and time in which the reconciler could not look does not count. Once it can
look again, no worker is lost before it had the time to beat. Everything here can be done twice, or by two at once,
without harm: the record decides, messages are hints.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from core.claim import ClaimKey, Worker
from core.errors import BrokerUnavailable, StoreUnavailable
from infra.dispatch import Dispatcher
from infra.store.values import LOST
from workers.context import WorkerContext
from workers.reconcile.claims import reopen_claims
from workers.reconcile.idle_tasks import IdleTasks
from workers.reconcile.lost_workers import LostWorkers
from workers.reconcile.timing import ReconcileTiming
from workers.reconcile.watched_time import WatchedTime

log = structlog.get_logger(__name__)


@dataclass
class Reconciler:
    """One worker's part in reconciling the record with what goes on.

    Args:
        context: the worker process.
        dispatcher: publishes steps.
        timing: how long it waits.
        monotonic: the clock that it measures with, in seconds.
    """

    context: WorkerContext
    dispatcher: Dispatcher
    timing: ReconcileTiming = field(default_factory=ReconcileTiming)
    monotonic: Callable[[], float] = time.monotonic
    _lost_workers: LostWorkers = field(default_factory=LostWorkers, init=False)
    _idle_tasks: IdleTasks = field(init=False)
    _unknown_claims: dict[ClaimKey, float] = field(default_factory=dict, init=False)
    _watched: WatchedTime = field(init=False)

    def __post_init__(self) -> None:
        self._idle_tasks = IdleTasks(self.context, self.dispatcher)
        self._watched = WatchedTime(max_gap=3 * self.timing.every)

    async def run_forever(self) -> None:
        """Run a round every few seconds until cancelled; wait for a store or a broker that is away."""
        while True:
            try:
                await self.run_once()
            except (StoreUnavailable, BrokerUnavailable) as error:
                log.warning("reconciling waits", reason=error.sentence)
            except Exception:  # a bug of ours must not end what repairs everything else
                log.exception("reconciling failed")
            await asyncio.sleep(self.timing.every)

    async def run_once(self) -> None:
        """Run one round: look after this worker's own claims and, where it leads, after everybody's.

        Raises:
            StoreUnavailable: neither the time since the last round counts then, nor the time until the next one.
            BrokerUnavailable: something could not be published; a later round will do it.
        """
        try:
            await self._reconcile(self._watched.look(self.monotonic()))
        except StoreUnavailable:
            self._watched.interrupt()
            raise

    async def _reconcile(self, now: float) -> None:
        await self._give_back_unknown_claims(now)
        lost = await self._find_lost_workers(now)
        workers, own = self.context.store.workers, self.context.heartbeat.worker
        if await workers.lead(own, self.timing.lead_for, lost=tuple(lost)):
            for worker, counter in lost.items():
                await self._bury(worker, counter)
            await self._idle_tasks.set_going(now, self.timing)
        else:
            self._idle_tasks.forget()

    async def _give_back_unknown_claims(self, now: float) -> None:
        """Give back claims that the record says this worker has, and that nobody in it has known of for a while."""
        heartbeat = self.context.heartbeat
        recorded = await self.context.store.workers.claims(heartbeat.worker)
        unknown = {claim for claim in recorded if claim not in heartbeat.known_claims}
        self._unknown_claims = {claim: self._unknown_claims.get(claim, now) for claim in unknown}
        due = [claim for claim, since in self._unknown_claims.items() if now - since >= self.timing.unknown_after]
        if due:
            log.warning("claims whose answer was lost are given back", claims=len(due))
            await reopen_claims(self.context, self.dispatcher, heartbeat.worker, due, lost=False)

    async def _find_lost_workers(self, now: float) -> dict[Worker, int]:
        """Return the lost workers and their counters.

        A worker that does not lead watches too: the leader may be among the lost, and its successor must know since
        when.
        """
        beats = await self.context.store.workers.beats()
        own = self.context.heartbeat.worker
        lost = self._lost_workers.find(beats, now, lost_after=self.timing.lost_after, own=own)
        return lost if self._watched.since_gap >= self.timing.grace else {}

    async def _bury(self, worker: Worker, counter: int) -> None:
        workers = self.context.store.workers
        if not await workers.condemn(worker, counter):
            return  # it has beaten since
        claims = await workers.claims(worker)
        if counter != LOST:
            log.warning("worker lost", name=worker.name, claims=len(claims))
        await reopen_claims(self.context, self.dispatcher, worker, claims, lost=True)
        if not await workers.bury(worker):
            log.info("a lost worker has claims left, looked at again", name=worker.name)
