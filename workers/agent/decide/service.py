"""What to do next where one service of an agent is to be stopped or started: pure functions of what happened so far.

agentd does it, and its word alone is not believed: a service is stopped when no process of its name is left and agentd
has given it up, and it runs when agentd names a process that a look has found.
"""

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.service import NoAgentd, ServiceAlive, ServiceNotRunning, ServiceRuns, ServiceStopped
from workers.agent.history import Ask, CallControl, Conclude, Look, Step, Story, Wait
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, Missing, NoAnswer, Unclear
from workers.agent.host.agentctl_status import Report, Service
from workers.agent.host.processes import NAME_LIMIT, Sight, control_program
from workers.agent.timing import ServicePolicy


def decide_stop_service(story: Story, name: str, target: Target, policy: ServicePolicy, now: float) -> Step:
    """Return the next step of the stop of a service, named as on the host; `now` is in seconds since the run began."""
    seen = story.now_seen
    if seen is None:
        return Look()
    alive = _pids(seen, name)
    if not seen.has_agentd:
        return Conclude(NoAgentd(name, alive) if alive else ServiceStopped(name, _before(story, name)))
    if not alive and story.now_said is None:
        return Ask()
    if not alive and _given_up(story, name):
        return Conclude(ServiceStopped(name, _before(story, name)))
    if not story.calls:
        return CallControl("stop")
    until = story.calls[-1].ended + policy.stop_for
    failed = ServiceAlive(name, alive, now - story.calls[0].began, f"the last word was: {_last_word(story)}")
    return _wait(story, target, policy, now, until=until, why=f"{name} may still end", failed=failed)


def decide_start_service(story: Story, name: str, target: Target, policy: ServicePolicy, now: float) -> Step:
    """Return the next step of the start of a service. One that runs is never started: its agent would have two."""
    seen = story.now_seen
    if seen is None:
        return Look()
    alive = _pids(seen, name)
    if not seen.has_agentd:
        return Conclude(NoAgentd(name, alive))
    if story.now_said is None:
        return Ask()
    service = _service(story, name)
    if service is not None and service.state == "running" and service.pid in alive:
        return Conclude(ServiceRuns(name, service.pid))
    if not (story.calls or alive) and _given_up(story, name):
        return CallControl("start")
    until = (story.calls[-1].ended if story.calls else 0.0) + policy.start_for
    failed = ServiceNotRunning(name, now, f"the last word was: {_last_word(story)}")
    return _wait(story, target, policy, now, until=until, why=f"{name} may still come up", failed=failed)


def _wait(  # noqa: PLR0913 - one wait's particulars
    story: Story, target: Target, policy: ServicePolicy, now: float, *, until: float, why: str, failed: Outcome
) -> Step:
    """Wait for what may still come; conclude where the control program refused, or the time is over."""
    refusal = _refusal(story, target)
    if refusal is not None or now >= until:
        return Conclude(refusal or failed)
    return Wait(min(policy.poll_every, until - now), why)


def _pids(seen: Sight, name: str) -> tuple[int, ...]:
    return tuple(process.pid for process in seen.processes if process.name == name[:NAME_LIMIT])


def _before(story: Story, name: str) -> tuple[int, ...]:
    return _pids(story.before, name) if story.before else ()


def _service(story: Story, name: str) -> Service | None:
    """Return what agentd said last of a service; None where it did not answer."""
    services = story.now_said.services if isinstance(story.now_said, Report) else ()
    return next((service for service in services if service.name == name), None)


def _given_up(story: Story, name: str) -> bool:
    service = _service(story, name)
    return service is not None and service.state == "stopped"


def _last_word(story: Story) -> str:
    match story.now_said:
        case Declined(_, detail) | Forbidden(detail) | Unclear(detail):
            return " ".join(detail.split())
        case NoAnswer(limit):
            return f"no answer within {limit:g} s"
        case None:
            return "none, since the process was still alive"
        case said:
            return str(said)


def _refusal(story: Story, target: Target) -> Outcome | None:
    """Return why the control program did nothing; None where it did, or may have."""
    pids = story.now_seen.pids if story.now_seen else ()
    match story.calls[-1].answer if story.calls else Accepted():
        case Accepted() | NoAnswer():
            return None
        case Missing():
            return NotInstalled(control_program(target), pids)
        case Forbidden(detail):
            return NoPermission(detail)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case Declined(code, detail):
            return Refused(code, detail, pids)
