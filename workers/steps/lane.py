"""A lane: one message of the group that does a step on hosts.

A lane claims hosts, works on several at a time, claims more as each run ends, and ends when nothing is left to claim. A
wedged host keeps one of its places; the hosts behind it go on. Suspects come one after another: while this process has
one and others are withheld, one lane of their step waits for the next, and the other lanes of the step end.
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
from workers.context import WorkerContext
from workers.steps.host_run import run_host


@dataclass(frozen=True, slots=True)
class LaneResult:
    """How a lane ended."""

    opened: int | None
    """The step that the lane opened by settling the last host of its own step. The caller must publish it."""
    handed_over: bool
    """Whether the lane broke off because the process is about to stop. The caller must publish a lane in its place."""


async def run_lane(context: WorkerContext, task: TaskRecord, planned: PlannedStep) -> LaneResult:
    """Work until nothing of the step is left to claim, or until the process is about to stop."""
    return await _Lane(context, task, planned).run()


class _Lane:
    """The state of one lane while it runs."""

    def __init__(self, context: WorkerContext, task: TaskRecord, planned: PlannedStep) -> None:
        self._context = context
        self._task = task
        self._planned = planned
        self._window = compute_window(planned.size, context.max_lanes, context.lane_window)
        self._limit = min(planned.step.timeout, context.host_time_limit or planned.step.timeout)
        self._runs: dict[asyncio.Task[Settled | HostClaim], HostClaim] = {}
        self._handed_over: list[HostClaim] = []
        """Claims of runs that were broken off because the process ends."""
        self._exhausted = False
        """Whether nothing is left to claim."""
        self._withheld = False
        """Whether the last answer to a claim withheld suspects."""
        self._times_freed = 0
        """How often the slot for a suspect had become free at the last claim."""
        self._opened: int | None = None

    async def run(self) -> LaneResult:
        """Claim, work, record and claim more until nothing is left."""
        results: list[Settled] = []
        try:
            while True:
                await self._record_and_claim(results)
                if not self._runs and self._is_over():
                    return await self._end()
                results = await self._wait_for_results()
        finally:
            await self._cancel_runs()

    async def _end(self) -> LaneResult:
        if self._handed_over:
            await self._context.recorder.hand_over(self._task, self._handed_over)
        return LaneResult(self._opened, handed_over=bool(self._handed_over) or not self._exhausted)

    def _is_over(self) -> bool:
        return self._exhausted or self._context.is_draining()

    async def _record_and_claim(self, results: list[Settled]) -> None:
        """Record results and claim what there are places for, in one call to the store."""
        self._withheld = False
        places = await self._take_places(may_wait=not results)
        if not results and not places:
            return
        self._times_freed = self._context.recorder.suspect_slot.times_freed
        try:
            request = ClaimRequest(places) if places else None
            settlement, claims = await self._context.recorder.advance(self._task, self._planned, results, request)
        except BaseException:
            self._context.slots.release(places)
            raise
        if settlement.opened is not None:
            self._opened = settlement.opened
        self._start_runs(require_host_claims(claims.granted), places)
        self._withheld = claims.withheld
        if claims.verdict is not ClaimVerdict.GRANTED or (len(claims.granted) < places and not claims.withheld):
            self._exhausted = True

    async def _take_places(self, *, may_wait: bool) -> int:
        """Take places for more hosts. A lane that has nothing else to do waits for one."""
        if self._is_over():
            return 0
        places = self._context.slots.take(self._window - len(self._runs))
        if places or self._runs or not may_wait:
            return places
        await self._context.slots.take_one()
        if self._is_over():  # the process began to stop meanwhile
            self._context.slots.release(1)
            return 0
        return 1

    def _start_runs(self, claims: list[HostClaim], places: int) -> None:
        self._context.slots.release(places - len(claims))
        for claim in claims:
            run = run_host(self._context, self._task, self._planned.step.action, claim, self._limit)
            self._runs[asyncio.create_task(run)] = claim

    async def _wait_for_results(self) -> list[Settled]:
        """Wait until a run ends or the slot for a suspect is free; return what the ended runs have to record."""
        turn = self._wait_for_turn()
        if not (self._runs or turn):
            self._exhausted |= self._withheld  # the lane that has the suspect, or waits for its end, does the rest
            return []
        done = await self._wait_for_any(turn)
        self._context.slots.release(len(done))
        results: list[Settled] = []
        for run in done:
            del self._runs[run]
            match run.result():
                case HostClaim() as claim:
                    self._handed_over.append(claim)
                case result:
                    results.append(result)
        return results

    def _wait_for_turn(self) -> asyncio.Future[None] | None:
        if not self._withheld:
            return None
        step = self._task.id, self._planned.index
        return self._context.recorder.suspect_slot.wait_for_turn(step, self._times_freed)

    async def _wait_for_any(self, turn: asyncio.Future[None] | None) -> set[asyncio.Task[Settled | HostClaim]]:
        """Return the runs that have ended as soon as there is one; none where the turn comes first."""
        waited: set[asyncio.Future[Any]] = {*self._runs}
        if turn:
            waited.add(turn)
        try:
            ended, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if turn:
                turn.cancel()
        return self._runs.keys() & ended

    async def _cancel_runs(self) -> None:
        """Leave nothing running where the lane itself is broken off."""
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        self._context.slots.release(len(self._runs))
        self._context.recorder.forget(self._runs.values())
        self._runs = {}


def compute_window(hosts: int, max_lanes: int, max_hosts: int) -> int:
    """Return how many hosts one lane works on at a time: its share of the step, up to `max_hosts`."""
    return min(max_hosts, -(-hosts // lane_count(hosts, max_lanes, max_hosts)))
