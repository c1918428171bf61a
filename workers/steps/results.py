"""Turns outcomes into the transitions that record them, with their logs."""

from collections.abc import Mapping, Sequence

from core.claim import Claim
from core.journal import Journal, RunLog
from core.outcome.base import Outcome
from core.transition import Failed, Settled, Succeeded, Undone
from workers.context import WorkerContext


def make_transitions(context: WorkerContext, claims: Sequence[Claim], outcomes: Mapping[int, Outcome]) -> list[Settled]:
    """Return the transitions of runs that have no journal: their logs are the outcomes alone.

    Runs that ended alike, as most runs of a step do, share one log.
    """
    logs: dict[tuple[str, int, int], RunLog] = {}
    results: list[Settled] = []
    for claim in claims:
        outcome = outcomes[claim.series_id]
        key = claim.operation, claim.run_time, id(outcome)
        log = logs.get(key)
        if log is None:
            journal = Journal(context.clock)
            journal.add_outcome(outcome)
            log = logs[key] = _make_log(context, claim, journal)
        make = _choose_transition(claim, outcome)
        results.append(make(claim.series_id, claim.token, log, outcome.agent_alive, touched=False))
    return results


def make_transition(context: WorkerContext, claim: Claim, outcome: Outcome, journal: Journal) -> Settled:
    """Return the transition that a run's outcome means; its journal, verdict included, becomes its log.

    What a failed run saw of the agent counts too, also where it was cancelled or lost its host on the way: nobody has
    looked since.
    """
    alive = outcome.agent_alive
    if alive is None and not outcome.successful:
        alive = journal.agent_alive
    log = _make_log(context, claim, journal)
    return _choose_transition(claim, outcome)(claim.series_id, claim.token, log, alive, journal.touched)


def _choose_transition(claim: Claim, outcome: Outcome) -> type[Settled]:
    success: type[Settled] = Undone if claim.operation.is_rollback else Succeeded
    return success if outcome.successful else Failed


def _make_log(context: WorkerContext, claim: Claim, journal: Journal) -> RunLog:
    return RunLog(claim.operation, claim.run_time, context.heartbeat.worker.name, tuple(journal.lines))
