"""Errands: what an API process asks for while a client waits. Claimed once, done in the time that is left, answered.

A changing errand has a lease on its host, taken before it was published. The lease outlasts the errand; the worker
gives it back as soon as it is done, before it answers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from core.agent import AgentFound
from core.errand import ClaimedErrand, Errand, ErrandAnswer, ErrandFailed, ErrandKind
from core.errors import StoreUnavailable
from core.host import Target
from core.journal import Journal
from core.outcome.base import InternalError, Outcome, TimedOut
from core.outcome.hold import HostGone
from core.outcome.service import NoAgentd
from workers.agent.inspect import Surveying
from workers.agent.service import ServiceWork
from workers.agent.timing import ServicePolicy
from workers.context import Work
from workers.executor.base import ConnectionFailed, Session

log = structlog.get_logger(__name__)

_FOR_THE_HOST: Final = 0.8
"""Which part of the time that is left the host may take; the rest is for the way back, to somebody who still waits."""


async def run_errand(work: Work, errand_id: str) -> None:
    """Do an errand, if there is one of this id that nobody has taken.

    Where the store does not answer that is all: whoever waits is told that no answer came.
    """
    try:
        await _run(work, errand_id)
    except StoreUnavailable as error:
        log.warning("errand given up", id=errand_id, error=error.sentence)


async def _run(work: Work, errand_id: str) -> None:
    claimed = await work.store.errands.claim(errand_id)
    if claimed is None:
        log.info("no errand to claim", errand=errand_id)
        return
    errand = claimed.errand
    with structlog.contextvars.bound_contextvars(traceId=errand.trace_id, host=errand.host_id, errand=errand.kind):
        answer = await _answer(work, claimed)
        if errand.kind.changes:
            await work.store.hosts.release((errand.host_id,), errand.id)
        await work.store.errands.answer(errand.id, answer)


async def _answer(work: Work, claimed: ClaimedErrand) -> ErrandAnswer:
    """Do an errand within the time that is left; whatever happens on the host is an answer."""
    errand, limit = claimed.errand, claimed.left * _FOR_THE_HOST / 1000
    journal = Journal(work.clock)
    try:
        async with asyncio.timeout(limit):
            found = await _on_host(work, errand, journal, _deadline(limit))
    except TimeoutError:
        found = TimedOut(f"working on host {errand.host_id} {errand.purpose}", limit)
    except ConnectionFailed as failure:
        found = failure.outcome
    except Exception as error:  # a fault of ours must end in an answer: somebody waits for it
        log.exception("errand failed")
        found = InternalError(f"{type(error).__name__}: {error}")
    if isinstance(found, AgentFound):
        log.info("errand done", process=errand.process)
        return found
    log.warning("errand not done", process=errand.process, verdict=found.sentence(), done=journal.texts())
    return ErrandFailed(found.sentence(), refused=isinstance(found, NoAgentd))


def _deadline(limit: float) -> Callable[[], Awaitable[None]]:
    """Return what is awaited before each command: a process that was frozen in between must not go on."""
    end = time.monotonic() + limit

    async def stands() -> None:
        if time.monotonic() > end:
            raise TimeoutError

    return stands


async def _on_host(
    work: Work, errand: Errand, journal: Journal, stands: Callable[[], Awaitable[None]]
) -> AgentFound | Outcome:
    hosts = await work.store.hosts.get((errand.host_id,))
    if errand.host_id not in hosts:
        return HostGone(errand.host_id)
    target = hosts[errand.host_id].target
    async with work.executor.connect(target) as session:
        changed = await _change(work, errand, session, target, journal, stands)
        if changed is not None and not changed.successful:
            return changed
        await stands()
        return await Surveying(session, target, work.stop_policy.command_timeout, journal).found()


async def _change(  # noqa: PLR0913, PLR0917 - one errand's particulars
    work: Work,
    errand: Errand,
    session: Session,
    target: Target,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
) -> Outcome | None:
    """Do what changes something on the host; None for a look."""
    if errand.process is None or errand.kind is ErrandKind.LOOK:
        return None
    service = ServiceWork(session, target, errand.process, ServicePolicy(work.stop_policy), journal, stands)
    outcome = await (service.stop() if errand.kind is ErrandKind.STOP else service.restart())
    log.info("host done", ok=outcome.successful, verdict=outcome.sentence())
    return outcome
