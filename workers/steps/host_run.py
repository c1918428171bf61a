"""One run of one subtask on one host: connect, do, prove, and come back with an outcome and a log, never an error."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, assert_never

import structlog

from core.claim import HostClaim
from core.host import Target
from core.journal import Journal
from core.outcome.base import Abandoned, InternalError, Outcome, PassedOver, TimedOut
from core.outcome.find import AgentPresent
from core.outcome.hold import HostGone, HostNotHeld
from core.record import TaskRecord
from core.status import Operation
from core.step import Action
from core.transition import Settled
from infra.failpoint import WorkerFailpoint
from workers.agent.decide.find import find_agent
from workers.agent.decide.proxy import settle_proxy
from workers.agent.start import start_agent
from workers.agent.stop import stop_agent
from workers.context import Work
from workers.executor.base import ConnectionFailed, Session
from workers.record.heartbeat import ClaimLostError
from workers.steps.results import transition
from workers.steps.rollback import OPPOSITES, done_before, nothing_to_undo

log = structlog.get_logger(__name__)

SKIPPED: Final = PassedOver("a person declared this subtask successful")


async def run_host(work: Work, task: TaskRecord, action: Action, claim: HostClaim, limit: float) -> Settled | HostClaim:
    """Run a claimed subtask on its host.

    Args:
        work: what the work needs.
        task: whose subtask it is.
        action: what to do there.
        claim: the right to do it.
        limit: seconds after which the run has failed, whatever the host is doing.

    Returns:
        The transition to record. Where the claim was lost on the way, the record refuses it. Where the process ends
        before the run did, the claim, to be handed over.
    """
    journal = Journal(work.clock)
    with work.presence.running.of(claim), work.notes.of(claim, journal):
        outcome = await _abandonable(work, task, action, claim, journal, limit)
    if outcome is None:
        log.info("host handed over", host=claim.host_id)
        return claim
    journal.verdict(outcome)
    # The record tells how each host ended. To log the good ones as well costs as much as a third of the work on them.
    tell = log.debug if outcome.successful else log.info
    tell("host done", host=claim.host_id, ok=outcome.successful, verdict=outcome.sentence())
    return transition(work, claim, outcome, journal)


async def _abandonable(  # noqa: PLR0913, PLR0917 - one run's particulars
    work: Work, task: TaskRecord, action: Action, claim: HostClaim, journal: Journal, limit: float
) -> Outcome | None:
    """Run, and return how that ended; None where it was broken off to be handed over."""
    try:
        return await _outcome(work, task, action, claim, journal, limit)
    except ClaimLostError:
        log.warning("claim lost, host left alone", host=claim.host_id)
        return Abandoned()
    except asyncio.CancelledError:
        run, running = asyncio.current_task(), work.presence.running
        abandoned, given_up = running.abandoned(claim), running.given_up(claim)
        if run is None or not (abandoned or given_up):
            raise
        run.uncancel()
        return Abandoned() if abandoned else None


async def _outcome(  # noqa: PLR0913, PLR0917 - one run's particulars
    work: Work, task: TaskRecord, action: Action, claim: HostClaim, journal: Journal, limit: float
) -> Outcome:
    ended = await _without_going_there(work, task, claim)
    if ended is not None:
        return ended
    if claim.target is None:
        return HostGone(claim.host_id)
    try:
        async with asyncio.timeout(limit):
            return await _on_host(work, action, claim, claim.target, journal)
    except TimeoutError:
        return TimedOut(f"working on host {claim.host_id}", limit)
    except ConnectionFailed as failure:
        return failure.outcome
    except ClaimLostError:
        raise
    except Exception as error:  # a fault of ours must end in the record, not in a message that is gone
        log.exception("host work failed", host=claim.host_id)
        return InternalError(f"{type(error).__name__}: {error}")


async def _without_going_there(work: Work, task: TaskRecord, claim: HostClaim) -> Outcome | None:
    """Return how a run ends that has no business on its host; None where it has."""
    if claim.operation in {Operation.SKIP, Operation.ROLLBACK_SKIP}:
        return SKIPPED
    if claim.operation.is_rollback:
        return await nothing_to_undo(work, task, claim)
    return None if claim.held or claim.target is None else await _without_host(work, task, claim)


async def _without_host(work: Work, task: TaskRecord, claim: HostClaim) -> Outcome:
    """Return what becomes of a host that the task does not hold: passed over where its taking was skipped."""
    taken = await done_before(work, task, claim, Action.TAKE_HOSTS)
    if taken is not None and taken.operation is Operation.SKIP:
        return PassedOver("the taking of this host was skipped, so this task never held it")
    return HostNotHeld(claim.host_id)


async def _on_host(work: Work, action: Action, claim: HostClaim, target: Target, journal: Journal) -> Outcome:
    stands = partial(work.recorder.persist, partial(work.presence.require, claim))  # nothing is sent unasked meanwhile
    await stands()
    work.passing(WorkerFailpoint.CLAIMED)
    journal.say(f"Connecting to {target.endpoint} as {target.user}.")
    async with work.executor.connect(target) as session:
        match OPPOSITES[action] if claim.operation.is_rollback else action:
            case Action.STOP_AGENT:
                return await stop_agent(session, target, policy=work.stop_policy, journal=journal, stands=stands)
            case Action.START_AGENT:
                return await start_agent(session, target, policy=work.start_policy, journal=journal, stands=stands)
            case Action.RESTART_PROXY:
                return await settle_proxy(session, target, policy=work.stop_policy, journal=journal, stands=stands)
            case Action.FIND_AGENT:
                return await _found(work, session, target, journal, stands)
            case Action.TAKE_HOSTS | Action.WAIT | Action.GIVE_BACK:
                raise ValueError(action)  # is done in the store
            case _:
                assert_never(action)


async def _found(
    work: Work, session: Session, target: Target, journal: Journal, stands: Callable[[], Awaitable[None]]
) -> Outcome:
    """Find the agent of a host, and note its version."""
    outcome = await find_agent(session, target, policy=work.start_policy, journal=journal, stands=stands)
    if isinstance(outcome, AgentPresent):
        noting = partial(work.store.hosts.note_version, target.host_id, outcome.version, work.clock())
        await work.recorder.persist(noting)
    return outcome
