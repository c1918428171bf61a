"""From an outcome to the transition that records it, with its log."""

from core.claim import Claim
from core.journal import Journal, RunLog
from core.outcome import Outcome
from core.transition import Failed, Settled, Succeeded, Undone
from workers.context import Work


def settled(work: Work, claim: Claim, outcome: Outcome) -> Settled:
    """Return the transition of a run that has no journal: its log is the verdict alone."""
    journal = Journal(work.clock)
    journal.verdict(outcome)
    return transition(work, claim, outcome, journal)


def transition(work: Work, claim: Claim, outcome: Outcome, journal: Journal) -> Settled:
    """Return the transition that a run's outcome means; its journal, verdict included, becomes its log."""
    log = RunLog(claim.operation, claim.run_time, work.presence.worker.name, tuple(journal.lines))
    done = Undone if claim.operation.undoes else Succeeded
    kind = done if outcome.successful else Failed
    return kind(claim.series_id, claim.token, log, outcome.agent_alive, journal.touched)
