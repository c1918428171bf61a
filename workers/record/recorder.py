"""Writes results and asks for work; waits for a store that does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from core.chunks import chunks
from core.claim import Claim, ClaimKey, Claims, Settlement
from core.errors import StoreUnavailable
from core.plan import PlannedStep
from core.record import TaskRecord
from core.transition import Settled
from infra.store import Store
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK
from workers.record.heartbeat import Heartbeat
from workers.record.suspect_slot import SuspectSlot

log = structlog.get_logger(__name__)
T = TypeVar("T")

_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between two tries; the last pause is repeated."""


class Recorder:
    """The one writer of results in this process.

    Args:
        store: the record.
        heartbeat: the process that claims.
        clock: milliseconds since the epoch.
        patience: seconds for which it retries when the store does not answer.
    """

    def __init__(
        self, store: Store, heartbeat: Heartbeat, clock: Callable[[], int], *, patience: float = 600.0
    ) -> None:
        self._store = store
        self._heartbeat = heartbeat
        self._clock = clock
        self._patience = patience
        self.suspect_slot = SuspectSlot()
        """This process's slot for a suspect."""

    async def advance(
        self, task: TaskRecord, step: PlannedStep, settled: Sequence[Settled] = (), claim: ClaimRequest | None = None
    ) -> tuple[Settlement, Claims]:
        """Record results and claim more (see `advance` of the store's tasks); wait for the store where it is away.

        A call that failed may have been done although its answer was lost. The second try then finds its results
        stale, and would not hear that it opened the next step. So the head is read, and an open next step counts as
        opened by this call. To publish a step twice is harmless.
        """
        tries = 0

        async def try_once() -> tuple[Settlement, Claims]:
            nonlocal tries
            tries += 1
            return await self._store.tasks.advance(
                task, step, self._heartbeat.worker, self._clock(), settled=settled, claim=claim
            )

        try:
            settlement, claims = await self.retry(try_once)
            self._heartbeat.known_claims.update(claim.key for claim in claims.granted)
            self.suspect_slot.enter(claims.granted)
        finally:  # whatever became of the results, nobody in this process works on these claims any more
            self._forget_keys([ClaimKey(task.id, result.series_id, result.token) for result in settled])
        if tries > 1 and settlement.stale:
            settlement = replace(settlement, opened=await self._find_opened_step(task, step))
        return settlement, claims

    def forget(self, claims: Iterable[Claim]) -> None:
        """Note that nobody in this process works on these claims any more, whatever the record says of them."""
        self._forget_keys([claim.key for claim in claims])

    def _forget_keys(self, claims: Sequence[ClaimKey]) -> None:
        self._heartbeat.known_claims.difference_update(claims)
        self.suspect_slot.leave(claims)

    async def hand_over(self, task: TaskRecord, claims: Sequence[Claim]) -> None:
        """Give back claims whose runs were broken off: another worker goes on with them."""
        for chunk in chunks(claims, CHUNK):
            keys = [claim.key for claim in chunk]
            worker, now = self._heartbeat.worker, self._clock()
            await self.retry(partial(self._store.tasks.reopen, task, worker, keys, now, lost=None))
        self.forget(claims)

    async def _find_opened_step(self, task: TaskRecord, step: PlannedStep) -> int | None:
        """Return the next step, or in a rollback the one before, where the task is at that step."""
        head = await self.retry(lambda: self._store.tasks.head(task.id))
        if head is None:
            return None
        following = step.index - 1 if head.is_rollback else step.index + 1
        return following if head.current_step == following else None

    async def retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated until the store answers.

        Raises:
            StoreUnavailable: the store did not answer within the recorder's patience.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        attempt = 0
        while True:
            try:
                return await call()
            except StoreUnavailable as error:
                self._heartbeat.distrust_claims()
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                if loop.time() + pause > deadline:
                    raise
                log.warning("the store does not answer, waiting", error=str(error), attempt=attempt)
                attempt += 1
                await asyncio.sleep(pause)
