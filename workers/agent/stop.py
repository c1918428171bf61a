"""Stopping the agent on one host over an open connection: look, call the agent's own stop, look, and whatever it takes.

`decide` says what to do; `run` does it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from core.host import Target
from core.journal import Journal
from core.outcome.base import Outcome
from workers.agent.decide.stop import decide
from workers.agent.run import Run
from workers.agent.timing import StopPolicy
from workers.executor.base import Session

__all__ = ["StopPolicy", "stop_agent"]


async def stop_agent(  # noqa: PLR0913 - what a stop needs, each named by its caller
    session: Session,
    target: Target,
    *,
    policy: StopPolicy,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Stop the agent on a host and prove it.

    Args:
        session: an open connection to the host.
        target: the host.
        policy: how patient to be, and how far to go.
        journal: gets each command, what it answered and what was seen; not the verdict, which is the caller's to add.
        stands: awaited before each command on the host; raises where the work is no longer this worker's to do. What
            it raises is passed on.
        sleep: waits for some seconds.
        monotonic: a clock that only goes forward, in seconds.

    Returns:
        The outcome; a connection that is lost on the way is one too.
    """
    run = Run(session, target, policy, journal, stands, sleep, monotonic)
    return await run.through(lambda story, now: decide(story, target, policy, now))
