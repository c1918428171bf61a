"""Starting the agent on one host over an open connection: let others end, start it, see it ready twice.

`decide_start` says what to do; `run` does it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from core.host import Target
from core.journal import Journal
from core.outcome.base import Outcome
from workers.agent.decide.start import decide_start
from workers.agent.run import Run
from workers.agent.timing import StartPolicy
from workers.executor.base import Session

__all__ = ["StartPolicy", "start_agent"]


async def start_agent(  # noqa: PLR0913 - what a start needs, each named by its caller
    session: Session,
    target: Target,
    *,
    policy: StartPolicy,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Start the agent on a host and prove that it is ready.

    An agent of which parts run already, and would keep the others from starting, is stopped first, once.

    Args:
        session: an open connection to the host.
        target: the host.
        policy: how patient to be; its `stop` says how far to go with what has to be stopped first.
        journal: gets each command, what it answered and what was seen; not the verdict, which is the caller's to add.
        stands: awaited before each command on the host; raises where the work is no longer this worker's to do. What
            it raises is passed on.
        sleep: waits for some seconds.
        monotonic: a clock that only goes forward, in seconds.

    Returns:
        The outcome; a connection that is lost on the way is one too.
    """
    run = Run(session, target, policy.stop, journal, stands, sleep, monotonic)
    return await run.through(lambda story, now: decide_start(story, target, policy, now))
