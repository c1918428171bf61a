"""One run of one subtask on one host: connect, do, prove, and come back with an outcome and a log, never an error."""

import asyncio
import functools
from typing import assert_never

import structlog

from core.claim import Claim
from core.host import Target
from core.journal import Journal
from core.outcome import HostGone, HostNotHeld, InternalError, Outcome, TimedOut
from core.step import Action
from core.transition import Settled
from workers.agent.proxy import settle_proxy
from workers.agent.start import start_agent
from workers.agent.stop import stop_agent
from workers.context import Work
from workers.executor.base import ConnectionFailed
from workers.presence import ClaimLostError
from workers.settling import transition

log = structlog.get_logger(__name__)


async def run_host(work: Work, action: Action, claim: Claim, limit: float) -> Settled | None:
    """Run a claimed subtask on its host.

    Args:
        work: what the work needs.
        action: what to do there.
        claim: the right to do it.
        limit: seconds after which the run has failed, whatever the host is doing.

    Returns:
        The transition to record; None where the claim was lost on the way, so that there is nothing to record.
    """
    journal = Journal(work.clock)
    try:
        outcome = await _outcome(work, action, claim, journal, limit)
    except ClaimLostError:
        log.warning("claim lost, host left alone", host=claim.host_id)
        return None
    journal.verdict(outcome)
    log.info("host done", host=claim.host_id, ok=outcome.successful, verdict=outcome.sentence())
    return transition(work, claim, outcome, journal)


async def _outcome(work: Work, action: Action, claim: Claim, journal: Journal, limit: float) -> Outcome:
    host_id = claim.host_id or 0
    if claim.target is None:
        return HostGone(host_id)
    if not claim.held:
        return HostNotHeld(host_id)
    try:
        async with asyncio.timeout(limit):
            return await _on_host(work, action, claim, claim.target, journal)
    except TimeoutError:
        return TimedOut(f"working on host {host_id}", limit)
    except ConnectionFailed as failure:
        return failure.outcome
    except ClaimLostError:
        raise
    except Exception as error:  # a fault of ours must end in the record, not in a message that is gone
        log.exception("host work failed", host=host_id)
        return InternalError(f"{type(error).__name__}: {error}")


async def _on_host(work: Work, action: Action, claim: Claim, target: Target, journal: Journal) -> Outcome:
    stands = functools.partial(work.presence.require, claim)
    await stands()
    journal.say(f"Connecting to {target.endpoint} as {target.user}.")
    async with work.executor.connect(target) as session:
        match action:
            case Action.STOP_AGENT:
                return await stop_agent(session, target, policy=work.stop_policy, journal=journal, stands=stands)
            case Action.START_AGENT:
                return await start_agent(session, target, policy=work.start_policy, journal=journal, stands=stands)
            case Action.RESTART_PROXY:
                return await settle_proxy(session, target, policy=work.stop_policy, journal=journal, stands=stands)
            case Action.TAKE_HOSTS | Action.WAIT | Action.GIVE_BACK:
                raise ValueError(action)  # is done in the store
            case _:
                assert_never(action)
