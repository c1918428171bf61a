"""The pos proxy, a process that agents before 3.2 had beside the others and that OCP restarts with them."""

from collections.abc import Awaitable, Callable

from core.host import Target
from core.journal import Journal
from core.outcome.base import Done, Outcome
from core.outcome.start import ProxyRuns
from workers.agent.history import Conclude, Look, Step, Story
from workers.agent.host.commands import proxy_look_command
from workers.agent.run import Run
from workers.agent.timing import StopPolicy
from workers.executor.base import Session


async def settle_proxy(
    session: Session,
    target: Target,
    *,
    policy: StopPolicy,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
) -> Outcome:
    """See that the host has no pos proxy, so that there is nothing to restart. One that runs is left alone, and fails.

    The arguments are those of `workers.agent.stop.stop_agent`.
    """
    run = Run(session, target, policy, journal, stands, look=proxy_look_command)
    return await run.through(_decide)


def _decide(story: Story, _now: float) -> Step:
    if story.now_seen is None:
        return Look()
    if story.now_seen.processes:
        return Conclude(ProxyRuns(story.now_seen.pids))
    return Conclude(Done("No pos proxy runs there, as with every agent from 3.2 on: there is nothing to restart."))
