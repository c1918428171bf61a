"""What to do about the agent's lock, which lets only one start or stop of an agent run at a time."""

from workers.agent.history import CallControl, Story, Verb, Wait
from workers.agent.host.agentctl_reply import Declined


def after_lock(story: Story, verb: Verb, now: float, *, every: float, until: float) -> CallControl | Wait | None:
    """Return what leads to another call where the last one failed at the lock.

    Args:
        story: with one call at least.
        verb: what is to be called.
        now: seconds since the run began, as all times here.
        every: so long after a call that met a held lock the next one may be made.
        until: the last moment for that.

    Returns:
        None where calling again is no use, or the lock was not the reason.
    """
    match story.calls[-1].answer:
        case Declined(lock_cleaned=True):
            tripped = sum(isinstance(call.answer, Declined) and call.answer.lock_cleaned for call in story.calls)
            return CallControl(verb) if tripped == 1 else None
        case Declined(lock_held=True):
            again = story.calls[-1].ended + every
            if again > until:
                return None
            return CallControl(verb) if now >= again else Wait(again - now, "another start or stop of this agent runs")
        case _:
            return None
