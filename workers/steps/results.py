"""From an outcome to the transition that records it, with its log."""

from collections.abc import Mapping, Sequence

from core.claim import Claim
from core.journal import Journal, RunLog
from core.outcome.base import Outcome
from core.transition import Failed, Settled, Succeeded, Undone
from workers.context import Work


def make_transitions(work: Work, claims: Sequence[Claim], verdicts: Mapping[int, Outcome]) -> list[Settled]:
    """Return the transitions of runs that have no journal: their logs are the verdicts alone.

    Runs that ended alike, as most of a step do, share one log.
    """
    logs: dict[tuple[str, int, int], RunLog] = {}
    results: list[Settled] = []
    for claim in claims:
        outcome = verdicts[claim.series_id]
        alike = claim.operation, claim.run_time, id(outcome)
        log = logs.get(alike)
        if log is None:
            journal = Journal(work.clock)
            journal.add_outcome(outcome)
            log = logs[alike] = _log(work, claim, journal)
        results.append(_kind(claim, outcome)(claim.series_id, claim.token, log, outcome.agent_alive, touched=False))
    return results


def make_transition(work: Work, claim: Claim, outcome: Outcome, journal: Journal) -> Settled:
    """Return the transition that a run's outcome means; its journal, verdict included, becomes its log.

    What a run that failed has seen of the agent counts too, also where it was cancelled or lost its host on the way:
    nobody has looked since.
    """
    alive = outcome.agent_alive
    if alive is None and not outcome.successful:
        alive = journal.agent_alive
    log = _log(work, claim, journal)
    return _kind(claim, outcome)(claim.series_id, claim.token, log, alive, journal.touched)


def _kind(claim: Claim, outcome: Outcome) -> type[Settled]:
    done: type[Settled] = Undone if claim.operation.is_rollback else Succeeded
    return done if outcome.successful else Failed


def _log(work: Work, claim: Claim, journal: Journal) -> RunLog:
    return RunLog(claim.operation, claim.run_time, work.presence.worker.name, tuple(journal.lines))
