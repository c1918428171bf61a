"""Finding the agent on one host over an open connection: whether there is one, which version, and whether it runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import assert_never

from core.host import Target
from core.journal import Journal
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.find import AgentAbsent, AgentPresent
from core.outcome.start import NotReady
from workers.agent.history import Ask, CallControl, Conclude, Look, Step, Story, Wait
from workers.agent.host.agentctl_reply import Accepted, Answer, Declined, Forbidden, Missing, NoAnswer, Unclear
from workers.agent.host.agentctl_status import Report
from workers.agent.host.processes import Sight, control_program
from workers.agent.run import Run
from workers.agent.timing import StartPolicy
from workers.executor.base import Session


async def find_agent(  # noqa: PLR0913 - as of the other works on a host
    session: Session,
    target: Target,
    *,
    policy: StartPolicy,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Find the agent on a host; nothing is changed there. An agent that runs is given time to become ready.

    The arguments are those of `workers.agent.start.start_agent`.
    """
    run = Run(session, target, policy.stop, journal, stands, sleep, monotonic)
    return await run.through(lambda story, now: _decide(story, target, policy, now))


def _decide(story: Story, target: Target, policy: StartPolicy, now: float) -> Step:
    if story.before is None:
        return Look()
    if not story.calls:
        return CallControl("version")
    match story.calls[0].answer:
        case Accepted(message):
            return _with_version(story, str(message), policy, now)
        case answer:
            return Conclude(_without_version(answer, story.before, target))


def _without_version(answer: Answer, before: Sight, target: Target) -> Outcome:
    program = control_program(target)
    match answer:
        case Missing():
            return NotInstalled(program, before.pids) if before.processes else AgentAbsent(program)
        case Forbidden(detail):
            return NoPermission(detail)
        case Declined(code, detail):
            return Refused(code, detail, before.pids)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case NoAnswer(limit):
            return UnexpectedAnswer(f"{program} version did not end within {limit:g} s")
        case Accepted():
            raise ValueError(answer)
        case _:
            assert_never(answer)


def _with_version(story: Story, version: str, policy: StartPolicy, now: float) -> Step:
    """Tell whether the agent runs: it does where it says that it is ready, and it does not where no process lives."""
    seen, said = story.now_seen, story.now_said
    if seen is None:
        return Look()
    if not seen.processes or (isinstance(said, Report) and said.ready):
        return Conclude(AgentPresent(version, seen.pids))
    if said is None:
        return Ask()
    until = story.calls[0].ended + policy.ready_for
    if now < until:
        return Wait(min(policy.stop.poll_every, until - now), "the agent runs and is not ready yet")
    return Conclude(NotReady(str(said) if isinstance(said, Report) else "agentd did not answer", seen.pids, now))
