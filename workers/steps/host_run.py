"""One run of one subtask on one host: it ends with an outcome and a log, never with an error."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final

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
from workers.agent.decide.table import DECIDERS
from workers.agent.run import Run
from workers.context import WorkerContext
from workers.executor.base import HostConnectionError
from workers.record.heartbeat import ClaimLostError
from workers.steps.results import make_transition
from workers.steps.rollback import OPPOSITES, explain_nothing_to_undo, find_earlier_subtask

log = structlog.get_logger(__name__)

SKIPPED: Final = PassedOver("a person declared this subtask successful")


async def run_host(
    context: WorkerContext, task: TaskRecord, action: Action, claim: HostClaim, limit: float
) -> Settled | HostClaim:
    """Run a claimed subtask on its host.

    Args:
        context: the worker process.
        task: the task that the subtask belongs to.
        action: what to do on the host.
        claim: the right to do it.
        limit: seconds after which the run has failed, whatever the host is doing.

    Returns:
        The transition to record; where the claim was lost on the way, the record refuses it. The claim itself where
        the process ends before the run does: it must be handed over.
    """
    return await _HostRun(context, task, action, claim, limit, Journal(context.clock)).run()


@dataclass(frozen=True, slots=True)
class _HostRun:
    context: WorkerContext
    task: TaskRecord
    action: Action
    claim: HostClaim
    limit: float
    journal: Journal = field(repr=False)

    async def run(self) -> Settled | HostClaim:
        """Run, and return what `run_host` returns."""
        claim, journal = self.claim, self.journal
        with self.context.heartbeat.runs.track(claim), self.context.open_logs.track(claim, journal):
            outcome = await self._run_unless_cancelled()
        if outcome is None:
            log.info("host handed over", host=claim.host_id)
            return claim
        journal.add_outcome(outcome)
        # The record tells how each host ended. To log success as well costs as much as a third of the work on a host.
        write = log.debug if outcome.successful else log.info
        write("host done", host=claim.host_id, ok=outcome.successful, verdict=outcome.sentence())
        return make_transition(self.context, claim, outcome, journal)

    async def _run_unless_cancelled(self) -> Outcome | None:
        """Run, and return how that ended; None where the run was broken off to be handed over."""
        try:
            return await self._run_within_limit()
        except ClaimLostError:
            log.warning("claim lost, host left alone", host=self.claim.host_id)
            return Abandoned()
        except asyncio.CancelledError:
            run, runs = asyncio.current_task(), self.context.heartbeat.runs
            cancelled, handed_over = runs.pop_cancelled(self.claim), runs.pop_handed_over(self.claim)
            if run is None or not (cancelled or handed_over):
                raise
            run.uncancel()
            return Abandoned() if cancelled else None

    async def _run_within_limit(self) -> Outcome:
        outcome = await self._conclude_without_connecting()
        if outcome is not None:
            return outcome
        if self.claim.target is None:
            return HostGone(self.claim.host_id)
        try:
            async with asyncio.timeout(self.limit):
                return await self._work_on_host(self.claim.target)
        except TimeoutError:
            return TimedOut(f"working on host {self.claim.host_id}", self.limit)
        except HostConnectionError as failure:
            return failure.outcome
        except ClaimLostError:
            raise
        except Exception as error:  # a bug of ours must end in the record: the message is gone
            log.exception("host work failed", host=self.claim.host_id)
            return InternalError(f"{type(error).__name__}: {error}")

    async def _conclude_without_connecting(self) -> Outcome | None:
        """Return how the run ends where it has nothing to do on the host; None where it has."""
        if self.claim.operation in {Operation.SKIP, Operation.ROLLBACK_SKIP}:
            return SKIPPED
        if self.claim.operation.is_rollback:
            return await explain_nothing_to_undo(self.context, self.task, self.claim)
        if self.claim.held or self.claim.target is None:
            return None
        return await self._conclude_without_host()

    async def _conclude_without_host(self) -> Outcome:
        """Return how a run ends whose task does not hold the host: well where a person skipped the taking."""
        taking = await find_earlier_subtask(self.context, self.task, self.claim, Action.TAKE_HOSTS)
        if taking is not None and taking.operation is Operation.SKIP:
            return PassedOver("the taking of this host was skipped, so this task never held it")
        return HostNotHeld(self.claim.host_id)

    async def _work_on_host(self, target: Target) -> Outcome:
        context, journal = self.context, self.journal
        # Where the store does not answer, no command is sent until it does.
        require_claim = partial(context.recorder.retry, partial(context.heartbeat.require_claim, self.claim))
        await require_claim()
        context.reach_failpoint(WorkerFailpoint.CLAIMED)
        journal.add(f"Connecting to {target.endpoint} as {target.user}.")
        action = OPPOSITES[self.action] if self.claim.operation.is_rollback else self.action
        async with context.executor.connect(target) as session:
            outcome = await Run(session, target, context.timing, journal, require_claim).follow(DECIDERS[action])
            if isinstance(outcome, AgentPresent):
                note = partial(context.store.hosts.note_version, target.host_id, outcome.version, context.clock())
                await context.recorder.retry(note)
            return outcome
