"""Decides what to do next where one service of an agent is to be stopped or started, from what happened so far.

agentd does the work, but its word alone is no proof: a service is stopped when no process of its name is left and
agentd no longer looks after it, and it runs when agentd names a process that a look has found.
"""

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.service import NoAgentd, ServiceAlive, ServiceNotRunning, ServiceRuns, ServiceStopped
from workers.agent.decision import AskStatus, CallControl, Conclude, Decision, Look, Wait
from workers.agent.history import History
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoAnswer, NoProgram, Unclear
from workers.agent.host.agentctl_status import AgentdStatus, Service
from workers.agent.host.processes import MAX_NAME_LENGTH, Snapshot, get_control_program
from workers.agent.timing import Timing


def decide_stop_service(history: History, target: Target, timing: Timing, now: float, *, name: str) -> Decision:
    """Return what to do next to stop a service.

    Args:
        history: what has happened.
        target: the host.
        timing: how long to wait.
        now: seconds since the run began.
        name: the service, as its process is named on the host.
    """
    snapshot = history.snapshot
    if snapshot is None:
        return Look()
    alive = _list_pids(snapshot, name)
    if not snapshot.has_agentd:
        return Conclude(NoAgentd(name, alive) if alive else ServiceStopped(name, _list_first_pids(history, name)))
    if not alive and history.status is None:
        return AskStatus()
    if not alive and _is_abandoned(history, name):
        return Conclude(ServiceStopped(name, _list_first_pids(history, name)))
    if not history.calls:
        return CallControl("stop", name)
    until = history.calls[-1].ended + timing.service_stop_for
    seconds = now - history.calls[0].began
    failure = ServiceAlive(name, alive, seconds, _describe_status(history))
    ended = _conclude_failure(history, target, failure, over=now >= until)
    return ended or Wait(min(timing.service_poll_every, until - now), f"{name} may still end")


def decide_start_service(history: History, target: Target, timing: Timing, now: float, *, name: str) -> Decision:
    """Return what to do next to start a service. One that runs is never started: its agent would have two.

    The arguments are those of `decide_stop_service`.
    """
    snapshot = history.snapshot
    if snapshot is None:
        return Look()
    alive = _list_pids(snapshot, name)
    if not snapshot.has_agentd:
        return Conclude(NoAgentd(name, alive))
    if history.status is None:
        return AskStatus()
    service = _find_service(history, name)
    if service is not None and service.state == "running" and service.pid in alive:
        return Conclude(ServiceRuns(name, service.pid))
    if not (history.calls or alive) and _is_abandoned(history, name):
        return CallControl("start", name)
    until = (history.calls[-1].ended if history.calls else 0.0) + timing.service_start_for
    failure = ServiceNotRunning(name, now, _describe_status(history))
    ended = _conclude_failure(history, target, failure, over=now >= until)
    return ended or Wait(min(timing.service_poll_every, until - now), f"{name} may still come up")


def _conclude_failure(history: History, target: Target, failure: Outcome, *, over: bool) -> Conclude | None:
    """Return how the run fails: the control program refused, or the time is over; None where there is hope."""
    refusal = _find_refusal(history, target)
    return Conclude(refusal or failure) if refusal is not None or over else None


def _list_pids(snapshot: Snapshot, name: str) -> tuple[int, ...]:
    return tuple(process.pid for process in snapshot.processes if process.name == name[:MAX_NAME_LENGTH])


def _list_first_pids(history: History, name: str) -> tuple[int, ...]:
    return _list_pids(history.first_snapshot, name) if history.first_snapshot else ()


def _find_service(history: History, name: str) -> Service | None:
    """Return what agentd said last of a service; None where it did not answer."""
    services = history.status.services if isinstance(history.status, AgentdStatus) else ()
    return next((service for service in services if service.name == name), None)


def _is_abandoned(history: History, name: str) -> bool:
    """Return whether agentd does not start the service again by itself."""
    service = _find_service(history, name)
    return service is not None and service.state == "stopped"


def _describe_status(history: History) -> str:
    match history.status:
        case Declined(_, detail) | Forbidden(detail) | Unclear(detail):
            return f"agentd's last status: {' '.join(detail.split())}"
        case NoAnswer(limit):
            return f"agentd's last status: no answer within {limit:g} s"
        case None:
            return "agentd was not asked for its status while the process was alive"
        case status:
            return f"agentd's last status: {status}"


def _find_refusal(history: History, target: Target) -> Outcome | None:
    """Return why the control program did nothing; None where it did something, or may have."""
    pids = history.snapshot.pids if history.snapshot else ()
    match history.calls[-1].reply if history.calls else Accepted():
        case Accepted() | NoAnswer():
            return None
        case NoProgram():
            return NotInstalled(get_control_program(target), pids)
        case Forbidden(detail):
            return NoPermission(detail)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case Declined(code, detail):
            return Refused(code, detail, pids)
