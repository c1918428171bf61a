"""Writes results and asks for work, whatever the store is doing: a worker waits for a store that is away."""

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
from workers.record.heartbeat import Presence
from workers.record.suspect_slot import SuspectPlace

log = structlog.get_logger(__name__)
T = TypeVar("T")

_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between two tries; the last one goes on."""


class Recorder:
    """The worker's hand on one step of one task.

    Args:
        store: the record.
        presence: who claims.
        clock: milliseconds since the epoch.
        patience: seconds for which a store that does not answer is tried again.
    """

    def __init__(self, store: Store, presence: Presence, clock: Callable[[], int], *, patience: float = 600.0) -> None:
        self._store = store
        self._presence = presence
        self._clock = clock
        self._patience = patience
        self.suspects = SuspectPlace()
        """This process's place for a suspect."""

    async def advance(
        self, task: TaskRecord, step: PlannedStep, settled: Sequence[Settled] = (), claim: ClaimRequest | None = None
    ) -> tuple[Settlement, Claims]:
        """Record results and claim more (see `infra.store.values.Tasks.advance`), waiting for the store where need be.

        A call that failed may have been done all the same, its answer lost. Tried again, its results are stale then,
        and the word that it opened the next step would be lost with it: so the head is read, and an open next step
        counts as opened by us. To publish a step twice is harmless.
        """
        tries = 0

        async def once() -> tuple[Settlement, Claims]:
            nonlocal tries
            tries += 1
            return await self._store.tasks.advance(
                task, step, self._presence.worker, self._clock(), settled=settled, claim=claim
            )

        try:
            settlement, claims = await self.persist(once)
            self._presence.in_hand.update(claim.key for claim in claims.granted)
            self.suspects.enter(claims.granted)
        finally:  # whatever became of the results, nobody here works on these any more
            self._let_go([ClaimKey(task.id, result.series_id, result.token) for result in settled])
        if tries > 1 and settlement.stale:
            settlement = replace(settlement, opened=await self._opened_after(task, step))
        return settlement, claims

    def drop(self, claims: Iterable[Claim]) -> None:
        """Say that nobody in this process works on claims any more, whatever the record says of them."""
        self._let_go([claim.key for claim in claims])

    def _let_go(self, claims: Sequence[ClaimKey]) -> None:
        self._presence.in_hand.difference_update(claims)
        self.suspects.leave(claims)

    async def hand_over(self, task: TaskRecord, claims: Sequence[Claim]) -> None:
        """Give claims back that were not brought to an end: somebody else goes on with them."""
        for chunk in chunks(claims, CHUNK):
            keys = [claim.key for claim in chunk]
            worker, now = self._presence.worker, self._clock()
            await self.persist(partial(self._store.tasks.reopen, task, worker, keys, now, lost=None))
        self.drop(claims)

    async def _opened_after(self, task: TaskRecord, step: PlannedStep) -> int | None:
        """Return the step after this one, or on the way back the one before, where that is what the task is at."""
        head = await self.persist(lambda: self._store.tasks.head(task.id))
        if head is None:
            return None
        following = step.index - 1 if head.is_rollback else step.index + 1
        return following if head.current_step == following else None

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated until the store answers.

        Raises:
            StoreUnavailable: it did not within the recorder's patience.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        attempt = 0
        while True:
            try:
                return await call()
            except StoreUnavailable as error:
                self._presence.doubt()
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                if loop.time() + pause > deadline:
                    raise
                log.warning("the store does not answer, waiting", error=str(error), attempt=attempt)
                attempt += 1
                await asyncio.sleep(pause)
