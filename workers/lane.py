"""A lane: one message of a step's group.

It claims hosts, works on several at a time, refills as each ends, and is over when nothing is left to claim. A wedged
host keeps one of its places; the hosts behind it go on.
"""

import asyncio
from dataclasses import dataclass

from core.claim import Claim, ClaimVerdict
from core.plan import PlannedStep
from core.record import TaskRecord
from core.transition import Settled
from infra.dispatch import lane_count
from infra.store.base import ClaimRequest
from workers.context import Work
from workers.hostwork import run_host


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """How a lane ended."""

    opened: int | None
    """The step that it opened by settling the last host of its own, which the caller must publish."""
    handed_over: bool
    """Whether it broke off because the process is about to stop, and the caller must publish a lane in its place."""


async def run_lane(work: Work, task: TaskRecord, planned: PlannedStep) -> LaneEnd:
    """Work until nothing of the step is left to claim, or until the process is about to stop."""
    return await Lane(work, task, planned).run()


class Lane:
    """The state of one lane while it runs."""

    def __init__(self, work: Work, task: TaskRecord, planned: PlannedStep) -> None:
        self._work = work
        self._task = task
        self._planned = planned
        self._window = window(planned.size, work.max_lanes, work.lane_window)
        self._limit = min(planned.step.timeout, work.host_time_limit or planned.step.timeout)
        self._working: set[asyncio.Task[Settled]] = set()
        self._exhausted = False
        self._opened: int | None = None

    async def run(self) -> LaneEnd:
        """Claim, work, record and refill until nothing is left."""
        results: list[Settled] = []
        try:
            while True:
                await self._exchange(results)
                if not self._working and self._over():
                    return LaneEnd(self._opened, handed_over=not self._exhausted)
                results = await self._next_results() if self._working else []
        finally:
            await self._abandon()

    def _over(self) -> bool:
        return self._exhausted or self._work.draining()

    async def _exchange(self, results: list[Settled]) -> None:
        """Record results and claim what there is room for, in one call to the store."""
        room = await self._room(waiting=not results)
        if not results and not room:
            return
        try:
            request = ClaimRequest(room) if room else None
            settlement, claims = await self._work.recorder.advance(self._task, self._planned, results, request)
        except BaseException:
            self._work.slots.release(room)
            raise
        if settlement.opened is not None:
            self._opened = settlement.opened
        self._start(claims.granted, room)
        if claims.verdict is not ClaimVerdict.GRANTED or len(claims.granted) < room:
            self._exhausted = True

    async def _room(self, *, waiting: bool) -> int:
        """Take places for more hosts. With nothing else to do, wait for one."""
        if self._over():
            return 0
        taken = self._work.slots.take(self._window - len(self._working))
        if taken or self._working or not waiting:
            return taken
        await self._work.slots.take_one()
        if self._over():  # the process began to stop meanwhile
            self._work.slots.release(1)
            return 0
        return 1

    def _start(self, claims: tuple[Claim, ...], places: int) -> None:
        self._work.slots.release(places - len(claims))
        for claim in claims:
            run = run_host(self._work, self._task, self._planned.step.action, claim, self._limit)
            self._working.add(asyncio.create_task(run))

    async def _next_results(self) -> list[Settled]:
        done, self._working = await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        self._work.slots.release(len(done))
        return [task.result() for task in done]

    async def _abandon(self) -> None:
        """Leave nothing running where the lane itself breaks off."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        self._work.slots.release(len(self._working))
        self._working = set()


def window(hosts: int, max_lanes: int, most: int) -> int:
    """Return how many hosts one lane works on at a time: its share of the step, up to `most`."""
    return min(most, -(-hosts // lane_count(hosts, max_lanes, most)))
