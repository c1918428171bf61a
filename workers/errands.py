"""Errands: what an API process asks for while a client waits. Claimed once, done in the time that is left, answered.

An errand that changes something has a lease on its host, taken before it was published. The lease outlasts the errand;
the worker gives it back as soon as the errand is done, before it answers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from core.agent import AgentInspection
from core.errand import ClaimedErrand, Errand, ErrandAnswer, ErrandFailed, ErrandKind
from core.errors import StoreUnavailable
from core.host import Target
from core.journal import Journal
from core.outcome.base import InternalError, Outcome, TimedOut
from core.outcome.hold import HostGone
from core.outcome.service import NoAgentd
from workers.agent.inspect import Inspection
from workers.agent.run import Run
from workers.agent.service import restart_service, stop_service
from workers.context import WorkerContext
from workers.executor.base import HostConnectionError, HostSession

log = structlog.get_logger(__name__)

_HOST_SHARE: Final = 0.8
"""Share of the time that is left which the host may take. The answer needs the rest to reach a client that waits."""


async def run_errand(context: WorkerContext, errand_id: str) -> None:
    """Do an errand, if there is one of this id that nobody has claimed.

    Where the store does not answer, the errand is given up: the client is told that no answer came.
    """
    try:
        await _claim_and_run(context, errand_id)
    except StoreUnavailable as error:
        log.warning("errand given up", id=errand_id, error=error.sentence)


async def _claim_and_run(context: WorkerContext, errand_id: str) -> None:
    claimed = await context.store.errands.claim(errand_id)
    if claimed is None:
        log.info("no errand to claim", errand=errand_id)
        return
    errand = claimed.errand
    with structlog.contextvars.bound_contextvars(traceId=errand.trace_id, host=errand.host_id, errand=errand.kind):
        answer = await _answer(context, claimed)
        if errand.kind.is_change:
            await context.store.hosts.release((errand.host_id,), errand.id)
        await context.store.errands.answer(errand.id, answer)


async def _answer(context: WorkerContext, claimed: ClaimedErrand) -> ErrandAnswer:
    """Do an errand within the time that is left; whatever happens on the host is an answer."""
    errand, limit = claimed.errand, claimed.left * _HOST_SHARE / 1000
    journal = Journal(context.clock)
    found: AgentInspection | Outcome
    try:
        async with asyncio.timeout(limit):
            found = await _ErrandRun(context, errand, journal, _make_time_check(limit)).run()
    except TimeoutError:
        found = TimedOut(f"working on host {errand.host_id} {errand.purpose}", limit)
    except HostConnectionError as failure:
        found = failure.outcome
    except Exception as error:  # a bug of ours must end in an answer: a client waits for it
        log.exception("errand failed")
        found = InternalError(f"{type(error).__name__}: {error}")
    if isinstance(found, AgentInspection):
        log.info("errand done", process=errand.process)
        return found
    log.warning("errand not done", process=errand.process, verdict=found.sentence(), done=journal.texts())
    return ErrandFailed(found.sentence(), refused=isinstance(found, NoAgentd))


def _make_time_check(limit: float) -> Callable[[], Awaitable[None]]:
    """Return what a run awaits before each command: a process that was frozen meanwhile must not go on."""
    end = time.monotonic() + limit

    async def check_time() -> None:
        if time.monotonic() > end:
            raise TimeoutError

    return check_time


@dataclass(frozen=True, slots=True)
class _ErrandRun:
    context: WorkerContext
    errand: Errand
    journal: Journal
    check_time: Callable[[], Awaitable[None]]

    async def run(self) -> AgentInspection | Outcome:
        """Do the errand on its host, and return what there is of the agent afterwards."""
        host_id = self.errand.host_id
        hosts = await self.context.store.hosts.get((host_id,))
        if host_id not in hosts:
            return HostGone(host_id)
        target = hosts[host_id].target
        async with self.context.executor.connect(target) as session:
            changed = await self._change(session, target)
            if changed is not None and not changed.successful:
                return changed
            await self.check_time()
            return await Inspection(session, target, self.context.timing.command_timeout, self.journal).inspect()

    async def _change(self, session: HostSession, target: Target) -> Outcome | None:
        """Do what changes something on the host; None for an errand that only looks."""
        if self.errand.process is None or self.errand.kind is ErrandKind.LOOK:
            return None
        run = Run(session, target, self.context.timing, self.journal, self.check_time)
        name = f"{target.agent_prefix}_{self.errand.process}"
        change = stop_service if self.errand.kind is ErrandKind.STOP else restart_service
        outcome = await change(run, name)
        log.info("host done", ok=outcome.successful, verdict=outcome.sentence())
        return outcome
