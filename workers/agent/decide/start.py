"""What to do next on a host whose agent is to be started: a pure function of what has happened there so far.

The agent is believed when it has said twice that it is ready, with the same agentd, some seconds apart, and a look has
found its three processes; not when its start says ok, which it does for any agentd that is alive.
"""

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.start import AlreadyRunning, EndedAtOnce, NotReady, Started
from workers.agent.decide.lock import after_lock
from workers.agent.history import Ask, CallControl, Conclude, Look, Step, StopFirst, Story, Wait
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, Missing, NoAnswer, Unclear
from workers.agent.host.agentctl_status import Report
from workers.agent.host.processes import NAME_LIMIT, Sight, control_program, process_names
from workers.agent.timing import StartPolicy

_MOST_STARTS = 3
"""Calls of the agent's start in one attempt after which agentd was gone again."""
_SLACK = 0.05
"""Seconds by which a wait may be too short: clocks are not that exact."""


def decide_start(story: Story, target: Target, policy: StartPolicy, now: float) -> Step:
    """Return the next step of a start; `now` is in seconds since the run began."""
    if story.mended and not story.mended.successful:
        return Conclude(story.mended)
    if not story.calls:
        return _before_call(story, policy, now)
    match story.calls[-1].answer:
        case Accepted() | NoAnswer() | Declined(ready_awaited=True):
            return _prove(story, target, policy, now)
        case _:
            return _after_refusal(story, target, policy, now)


def _before_call(story: Story, policy: StartPolicy, now: float) -> Step:
    """Call the agent's start, once no agentd is on its way out and no orphan is in the way."""
    seen = story.now_seen
    if seen is None:
        return Look()
    if not seen.has_agentd:
        if seen.proved and not story.mended:
            return StopFirst(f"agentd is gone and {seen} would keep new ones from starting")
        return CallControl("start")
    return Ask() if story.now_said is None else _beside_agentd(story, seen, policy, now)


def _beside_agentd(story: Story, seen: Sight, policy: StartPolicy, now: float) -> Step:
    if not (isinstance(story.now_said, Report) and story.now_said.state == "stopping"):
        return CallControl("start")
    left = story.since + policy.settle_for - now
    if left <= 0:
        return Conclude(NotReady("agentd was still stopping", seen.pids, now - story.since))
    return Wait(min(policy.stop.poll_every, left), "agentd is stopping")


def _after_refusal(story: Story, target: Target, policy: StartPolicy, now: float) -> Step:
    """Try again where the lock was the reason, as soon as that can succeed; else say why the start was refused."""
    until = story.since + policy.settle_for
    again = after_lock(story, "start", now, every=policy.stop.lock_retry_every, until=until)
    match again:
        case Wait():
            return again
        case CallControl():
            return _before_call(story, policy, now)
        case None:
            return Look() if story.now_seen is None else Conclude(_refusal(story, story.now_seen, target))


def _refusal(story: Story, seen: Sight, target: Target) -> Outcome:
    match story.calls[-1].answer:
        case Missing():
            return NotInstalled(control_program(target), seen.pids)
        case Forbidden(detail):
            return NoPermission(detail)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case Declined(_, detail, ended_at_once=True):
            return EndedAtOnce(target.agent_home.rstrip("/"), detail)
        case Declined(code, detail):
            return Refused(code, detail, seen.pids)
        case answer:  # was no refusal
            raise ValueError(answer)


def _prove(story: Story, target: Target, policy: StartPolicy, now: float) -> Step:
    """See the agent ready twice and its processes alive; where it is not ready, find out why."""
    said = story.now_said
    if said is None:
        return Ask()
    if isinstance(said, Report) and said.ready and now < story.calls[-1].ended + policy.ready_for:
        times = _ready_at(story, said.pid)
        left = times[0] + policy.proof_gap - times[-1]
        if left > _SLACK:
            return Wait(left, f"agentd {said.pid} must then still say that it is ready")
        if len(times) == 1:
            return Ask()
    return Look() if story.now_seen is None else _judge(story, story.now_seen, target, policy, now)


def _judge(story: Story, seen: Sight, target: Target, policy: StartPolicy, now: float) -> Step:
    match story.now_said:
        case Report(ready=True) as said if _twice(story, said, policy) and (pids := _its_processes(said, seen, target)):
            return Conclude(_success(story, said, pids))
        case Missing():
            return Conclude(NotInstalled(control_program(target), seen.pids))
        case Forbidden(detail):
            return Conclude(NoPermission(detail))
        case _:
            return _not_yet(story, seen, policy, now)


def _ready_at(story: Story, agentd: int) -> list[float]:
    """Return when reports said that this agentd is ready, from the first after which none said anything else."""
    times: list[float] = []
    for asked in story.asked:
        same = isinstance(asked.said, Report) and asked.said.ready and asked.said.pid == agentd
        times = [*times, asked.at] if same else []
    return times


def _twice(story: Story, said: Report, policy: StartPolicy) -> bool:
    times = _ready_at(story, said.pid)
    return len(times) > 1 and times[-1] - times[0] >= policy.proof_gap - _SLACK


def _its_processes(said: Report, seen: Sight, target: Target) -> tuple[int, ...] | None:
    """Return the pids of the three processes that the report speaks of, where the look has found them all."""
    agentd, *services = process_names(target)
    meant = {(agentd, said.pid)}
    meant |= {
        (name, service.pid) for service in said.services for name in services if service.name[:NAME_LIMIT] == name
    }
    if len(meant) <= len(services) or not meant <= {(process.name, process.pid) for process in seen.proved}:
        return None
    return tuple(sorted(pid for _, pid in meant))


def _success(story: Story, said: Report, pids: tuple[int, ...]) -> Outcome:
    before = story.before.pids if story.before else ()
    return AlreadyRunning(pids) if said.pid in before and not story.mended else Started(pids)


def _not_yet(story: Story, seen: Sight, policy: StartPolicy, now: float) -> Step:
    """Wait for what may still come; mend once what will not; give up when the time is over."""
    until = story.calls[-1].ended + policy.ready_for
    if not seen.has_agentd:
        if len(story.calls) < _MOST_STARTS and now < until:
            return _before_call(story, policy, now)
        return Conclude(_too_late(story, seen, "agentd is gone again", now))
    given_up = _given_up(story, policy)
    if given_up and not story.mended:
        return StopFirst(f"agentd has given up {', '.join(sorted(given_up))}, and its start does not mend that")
    if now < until and not given_up:
        return Wait(min(policy.stop.poll_every, until - now), f"the agent is not ready yet: {story.now_said}")
    return Conclude(_too_late(story, seen, _reason(story), now))


def _given_up(story: Story, policy: StartPolicy) -> frozenset[str]:
    """Return the services that agentd has had as stopped for some seconds."""
    last = story.asked[-1]
    if not isinstance(last.said, Report):
        return frozenset()
    lasting = last.said.given_up
    earlier = [asked for asked in story.asked if asked.at <= last.at - policy.proof_gap + _SLACK]
    recent = [asked for asked in story.asked if asked not in earlier]
    if not earlier:
        return frozenset()
    for asked in (earlier[-1], *recent):
        same = isinstance(asked.said, Report) and asked.said.pid == last.said.pid
        lasting = lasting & asked.said.given_up if same and isinstance(asked.said, Report) else frozenset()
    return lasting


def _too_late(story: Story, seen: Sight, reason: str, now: float) -> Outcome:
    if seen.processes and not seen.proved:
        return NoPermission(f"the executables of {seen} cannot be read, so that nothing proves whose they are")
    return NotReady(reason, seen.pids, now - story.calls[0].began)


def _reason(story: Story) -> str:
    match story.now_said:
        case Report(ready=True) as said:
            return f"{said}, but is not the agentd of before, or its processes were not found"
        case NoAnswer(limit):
            return f"agentd did not answer within {limit:g} s"
        case Declined(_, detail) | Unclear(detail):
            return f"the status was: {' '.join(detail.split())}"
        case said:
            return str(said)
