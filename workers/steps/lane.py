"""A lane: one message of a step's group.

It claims hosts, works on several at a time, refills as each ends, and is over when nothing is left to claim. A wedged
host keeps one of its places; the hosts behind it go on. Suspects come one after another: while this process has one and
others are withheld, one lane of their step waits for the next, and its other lanes end.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from core.claim import ClaimVerdict, HostClaim, require_host_claims
from core.plan import PlannedStep
from core.record import TaskRecord
from core.transition import Settled
from infra.dispatch import lane_count
from infra.store.task_values import ClaimRequest
from workers.context import Work
from workers.steps.host_run import run_host


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
        self._working: dict[asyncio.Task[Settled | HostClaim], HostClaim] = {}
        self._given_up: list[HostClaim] = []
        """Claims of runs that were broken off because the process ends."""
        self._exhausted = False
        self._withheld = False
        """Whether suspects were withheld when it asked last."""
        self._vacated = 0
        """How often the place for a suspect had become free when it asked last."""
        self._opened: int | None = None

    async def run(self) -> LaneEnd:
        """Claim, work, record and refill until nothing is left."""
        results: list[Settled] = []
        try:
            while True:
                await self._exchange(results)
                if not self._working and self._over():
                    return await self._end()
                results = await self._next_results()
        finally:
            await self._abandon()

    async def _end(self) -> LaneEnd:
        if self._given_up:
            await self._work.recorder.hand_over(self._task, self._given_up)
        return LaneEnd(self._opened, handed_over=bool(self._given_up) or not self._exhausted)

    def _over(self) -> bool:
        return self._exhausted or self._work.draining()

    async def _exchange(self, results: list[Settled]) -> None:
        """Record results and claim what there is room for, in one call to the store."""
        self._withheld = False
        room = await self._room(waiting=not results)
        if not results and not room:
            return
        self._vacated = self._work.recorder.suspects.vacated
        try:
            request = ClaimRequest(room) if room else None
            settlement, claims = await self._work.recorder.advance(self._task, self._planned, results, request)
        except BaseException:
            self._work.slots.release(room)
            raise
        if settlement.opened is not None:
            self._opened = settlement.opened
        self._start(require_host_claims(claims.granted), room)
        self._withheld = claims.withheld
        if claims.verdict is not ClaimVerdict.GRANTED or (len(claims.granted) < room and not claims.withheld):
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

    def _start(self, claims: list[HostClaim], places: int) -> None:
        self._work.slots.release(places - len(claims))
        for claim in claims:
            run = run_host(self._work, self._task, self._planned.step.action, claim, self._limit)
            self._working[asyncio.create_task(run)] = claim

    async def _next_results(self) -> list[Settled]:
        """Wait until a run ends, or until a suspect may be had; with neither to wait for there is nothing to add."""
        turn = self._turn()
        if not (self._working or turn):
            self._exhausted |= self._withheld  # whoever has the suspect, or waits for its end, goes on with the step
            return []
        done = await self._until(turn)
        self._work.slots.release(len(done))
        results: list[Settled] = []
        for run in done:
            del self._working[run]
            match run.result():
                case HostClaim() as claim:
                    self._given_up.append(claim)
                case result:
                    results.append(result)
        return results

    def _turn(self) -> asyncio.Future[None] | None:
        step = self._task.id, self._planned.index
        return self._work.recorder.suspects.turn(step, self._vacated) if self._withheld else None

    async def _until(self, turn: asyncio.Future[None] | None) -> set[asyncio.Task[Settled | HostClaim]]:
        """Return the runs that have ended once there is one, or none once the turn has come."""
        waited: set[asyncio.Future[Any]] = {*self._working}
        if turn:
            waited.add(turn)
        try:
            ended, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if turn:
                turn.cancel()
        return self._working.keys() & ended

    async def _abandon(self) -> None:
        """Leave nothing running where the lane itself breaks off."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        self._work.slots.release(len(self._working))
        self._work.recorder.drop(self._working.values())
        self._working = {}


def window(hosts: int, max_lanes: int, most: int) -> int:
    """Return how many hosts one lane works on at a time: its share of the step, up to `most`."""
    return min(most, -(-hosts // lane_count(hosts, max_lanes, most)))
