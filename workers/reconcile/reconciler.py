"""What makes the system go on by itself: claims of lost workers are opened again, unclaimed steps are published.

Any worker reconciles, one at a time; while workers of several versions run, one of each, since an older one leaves
the records of newer ones alone. A worker is lost when its counter has not moved for a while on the reconciler's own
monotonic clock: no clocks are compared, and time in which the reconciler could not look does not count. Once it can
look again nobody is lost before they had the time to beat. Everything that is done here can be done twice, or by two at
once, without harm: the record decides, messages are hints.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import structlog

from core.chunks import chunks
from core.claim import ClaimKey, Worker
from core.errors import BrokerUnavailable, StoreUnavailable
from core.journal import Journal, RunLog
from core.outcome.base import WorkersLost
from core.progress import compute_progress
from core.record import TaskRecord
from core.status import Status, TaskStatus
from infra.dispatch import Dispatcher
from infra.store.task_values import Course, TaskQuery
from infra.store.values import CHUNK, LOST, TOO_MANY_LOSSES
from workers.context import Work
from workers.reconcile.watched_time import WatchedTime

log = structlog.get_logger(__name__)

_PAGE = 500
"""So many running tasks are read at a time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited before something is done. In seconds."""

    every: float = 2.0
    """Between two looks."""
    lost_after: float = 15.0
    """Without a beat, until a worker is lost: several beats, and longer than a pause that a process may have."""
    grace: float = 4.0
    """After time in which it could not look, until a worker is lost: a few beats, since nobody could beat either."""
    unclaimed_after: float = 5.0
    """Without a change, until a step that nobody claims is published again; twice as long each further time …"""
    unclaimed_at_most: float = 60.0
    """… up to this."""
    unknown_after: float = 10.0
    """Until a claim of this worker that nobody in it knows of is given back: its answer was lost on the way."""

    @property
    def leading_for(self) -> int:
        """Milliseconds after its last look for which nobody takes the reconciler's place."""
        return int(self.every * 3000)


@dataclass(slots=True)
class _Pulse:
    """A worker's counter, and since when, in watched seconds, it has not moved."""

    counter: int
    since: float


@dataclass(slots=True)
class _Quiet:
    """A task's state, since when, in watched seconds, it has not changed, and how long that is looked at."""

    state: tuple[int, int]
    since: float
    wait: float


@dataclass
class Reconciler:
    """One worker's part in keeping the record and what goes on in step.

    Args:
        work: the worker process.
        dispatcher: how steps are published.
        patience: how long it waits.
        monotonic: the clock that it measures with, in seconds.
    """

    work: Work
    dispatcher: Dispatcher
    patience: Patience = field(default_factory=Patience)
    monotonic: Callable[[], float] = time.monotonic
    _pulses: dict[int, _Pulse] = field(default_factory=dict, init=False)
    _quiet: dict[int, _Quiet] = field(default_factory=dict, init=False)
    _unknown: dict[ClaimKey, float] = field(default_factory=dict, init=False)
    _watched: WatchedTime = field(init=False)

    def __post_init__(self) -> None:
        self._watched = WatchedTime(longest=3 * self.patience.every)

    async def look_for_ever(self) -> None:
        """Look every few seconds until cancelled. A store or a broker that is away is waited for."""
        while True:
            try:
                await self.look()
            except (StoreUnavailable, BrokerUnavailable) as error:
                log.warning("reconciling waits", reason=error.sentence)
            except Exception:  # a fault of ours must not end what makes good for all others
                log.exception("reconciling failed")
            await asyncio.sleep(self.patience.every)

    async def look(self) -> None:
        """Look once: after this worker's own claims, and where it leads after everybody's.

        Raises:
            StoreUnavailable: the time since the last look does not count then, nor that until the next one.
            BrokerUnavailable: something could not be published; a later look will.
        """
        try:
            await self._look(self._watched.look(self.monotonic()))
        except StoreUnavailable:
            self._watched.interrupt()
            raise

    async def _look(self, now: float) -> None:
        await self._give_back_unknown(now)
        lost = await self._lost(now)
        if await self.work.store.workers.lead(self.work.presence.worker, self.patience.leading_for, lost=tuple(lost)):
            for worker, counter in lost.items():
                await self._bury(worker, counter)
            await self._publish_unclaimed(now)
        else:
            self._quiet.clear()

    async def _give_back_unknown(self, now: float) -> None:
        """Give claims back that the record has of this worker and that nobody in it has known of for a while."""
        worker, in_hand = self.work.presence.worker, self.work.presence.in_hand
        unknown = {one for one in await self.work.store.workers.claims(worker) if one not in in_hand}
        self._unknown = {claim: self._unknown.get(claim, now) for claim in unknown}
        due = [claim for claim, since in self._unknown.items() if now - since >= self.patience.unknown_after]
        if due:
            log.warning("claims whose answer was lost are given back", claims=len(due))
            await self._reopen(worker, due, lost=False)

    async def _lost(self, now: float) -> dict[Worker, int]:
        """Return the workers that have not beaten for too long, and where their counters stand.

        Whoever does not lead watches too: the leader may be among the lost, and whoever takes its place knows then
        since when.
        """
        beats = await self.work.store.workers.beats()
        known = {worker.id for worker in beats}
        self._pulses = {number: pulse for number, pulse in self._pulses.items() if number in known}
        lost: dict[Worker, int] = {}
        for worker, counter in beats.items():
            if counter == LOST:  # by somebody who did not come to the end of it
                lost[worker] = counter
                continue
            pulse = self._pulses.get(worker.id)
            if pulse is None or pulse.counter != counter:
                self._pulses[worker.id] = _Pulse(counter, now)
            elif now - pulse.since >= self.patience.lost_after and worker != self.work.presence.worker:
                lost[worker] = counter
        return lost if self._watched.since_gap >= self.patience.grace else {}

    async def _bury(self, worker: Worker, counter: int) -> None:
        if not await self.work.store.workers.condemn(worker, counter):
            return  # it has beaten since
        claims = await self.work.store.workers.claims(worker)
        if counter != LOST:
            log.warning("worker lost", name=worker.name, claims=len(claims))
        await self._reopen(worker, claims, lost=True)
        if not await self.work.store.workers.bury(worker):
            log.info("a lost worker has claims left, looked at again", name=worker.name)

    async def _reopen(self, worker: Worker, claims: Sequence[ClaimKey], *, lost: bool) -> None:
        """Open claims of a worker again and publish their steps; those of a newer record are left to a newer code."""
        for task_id, of_task in groupby(sorted(claims, key=_place), key=lambda claim: claim.task_id):
            task = await self.work.store.tasks.head(task_id)
            if task is not None and task.is_known:
                await self._reopen_of(task, worker, list(of_task), lost=lost)

    async def _reopen_of(self, task: TaskRecord, worker: Worker, claims: list[ClaimKey], *, lost: bool) -> None:
        ready = 0
        for chunk in chunks(claims, CHUNK):
            epitaph = self._epitaph(task, worker) if lost else None
            reopened = await self.work.store.tasks.reopen(task, worker, chunk, self.work.clock(), lost=epitaph)
            ready += reopened.ready
        if ready:
            log.info("claims opened again", task=task.id, subtasks=ready)
            await self._publish(task)

    def _epitaph(self, task: TaskRecord, worker: Worker) -> RunLog:
        """Return what is kept of a run that was lost for good."""
        journal = Journal(self.work.clock)
        journal.add_outcome(WorkersLost(TOO_MANY_LOSSES))
        return RunLog(task.operation, 1, worker.name, tuple(journal.lines))

    async def _publish_unclaimed(self, now: float) -> None:
        """Publish what is ready and what nobody has claimed for a while, unless messages wait to be handled."""
        if await self.work.store.brake.get() is not None:
            return  # whoever releases it sets everything going
        running: set[int] = set()
        due: list[TaskRecord] = []
        offset, page = 0, (await self._running(0))
        while page:
            running.update(task.id for task in page)
            due += [task for task in page if task.is_known and self._is_due(task, now)]
            offset += len(page)
            page = await self._running(offset) if len(page) == _PAGE else ()
        self._quiet = {task_id: quiet for task_id, quiet in self._quiet.items() if task_id in running}
        if due and not await self.dispatcher.count_waiting():  # asked once: what is published here waits itself, soon
            for task in due:
                await self._set_going(task, now)

    async def _running(self, offset: int) -> tuple[TaskRecord, ...]:
        query = TaskQuery(frozenset({TaskStatus.RUNNING}), offset=offset, limit=_PAGE, ascending=True)
        return (await self.work.store.tasks.page(query, self.work.clock())).items

    def _is_due(self, task: TaskRecord, now: float) -> bool:
        state, quiet = (task.current_step, task.changes), self._quiet.get(task.id)
        if quiet is None or quiet.state != state:
            self._quiet[task.id] = _Quiet(state, now, self.patience.unclaimed_after)
            return False
        counts = compute_progress(task)[task.current_step].by_status
        worked_on = counts.get(Status.RUNNING, 0) + counts.get(Status.CANCELING, 0)
        waits = counts.get(Status.READY, 0) and not worked_on
        return bool(waits or task.turning) and now - quiet.since >= quiet.wait

    async def _set_going(self, task: TaskRecord, now: float) -> None:
        """Go on with what somebody began and did not end: a change of course, a cancelling, a publishing."""
        quiet = self._quiet[task.id]
        quiet.since, quiet.wait = now, min(2 * quiet.wait, self.patience.unclaimed_at_most)
        tasks = self.work.store.tasks
        if task.turning:
            await tasks.change_course(task, Course.ROLLBACK if task.is_rollback else Course.RETRY, self.work.clock())
        if task.cancelled and not task.turning:
            log.warning("a cancelling that broke off is finished", task=task.id)
            await tasks.cancel(task, self.work.clock())
            return
        log.warning("nobody claims a step, published again", task=task.id, step=task.current_step)
        await self._publish(task)

    async def _publish(self, task: TaskRecord) -> None:
        head = await self.work.store.tasks.head(task.id)
        if head is not None and head.status is TaskStatus.RUNNING:
            await self.dispatcher.submit(head, head.current_step, backwards=head.is_rollback)


def _place(claim: ClaimKey) -> tuple[int, int]:
    return claim.task_id, claim.series_id
