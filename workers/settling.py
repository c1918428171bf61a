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
    """Return the transition that a run's outcome means; its journal, verdict included, becomes its log.

    What a run that failed has seen of the agent counts too, also where it was cancelled or lost its host on the way:
    nobody has looked since.
    """
    log = RunLog(claim.operation, claim.run_time, work.presence.worker.name, tuple(journal.lines))
    done = Undone if claim.operation.undoes else Succeeded
    kind = done if outcome.successful else Failed
    alive = outcome.agent_alive
    if alive is None and not outcome.successful:
        alive = journal.agent_alive
    return kind(claim.series_id, claim.token, log, alive, journal.touched)
