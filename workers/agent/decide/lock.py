"""What to do about the agent's lock, which lets only one start or stop of an agent run at a time."""

from workers.agent.decision import CallControl, CallVerb, Wait
from workers.agent.history import History
from workers.agent.host.agentctl_reply import Declined


def retry_after_lock(
    history: History, verb: CallVerb, now: float, *, every: float, until: float
) -> CallControl | Wait | None:
    """Return how to repeat the last call where the lock made it fail.

    Args:
        history: holds at least one call.
        verb: what to call.
        now: seconds since the run began, like all times here.
        every: seconds from the end of a call that met a held lock to the next call.
        until: the latest moment for another call.

    Returns:
        None where another call is no use, or where the lock was not the reason.
    """
    match history.calls[-1].reply:
        case Declined(lock_cleaned=True):
            cleaned = sum(isinstance(call.reply, Declined) and call.reply.lock_cleaned for call in history.calls)
            return CallControl(verb) if cleaned == 1 else None
        case Declined(lock_held=True):
            again = history.calls[-1].ended + every
            if again > until:
                return None
            return CallControl(verb) if now >= again else Wait(again - now, "another start or stop of this agent runs")
        case _:
            return None
