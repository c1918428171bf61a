"""Decides what to do next on a host whose agent is to be started, from what has happened there so far.

An agent counts as started when it has said twice, some seconds apart, that it is ready under the same agentd, and a
look has found its three processes. The reply of its start is no proof: it says ok for any agentd that is alive.
"""

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.start import AlreadyRunning, EndedAtOnce, NotReady, Started
from workers.agent.decide.lock import retry_after_lock
from workers.agent.decision import AskStatus, CallControl, Conclude, Decision, Look, StopFirst, Wait
from workers.agent.history import History
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoAnswer, NoProgram, Unclear
from workers.agent.host.agentctl_status import AgentdStatus
from workers.agent.host.processes import MAX_NAME_LENGTH, Snapshot, get_control_program, get_process_names
from workers.agent.timing import Timing

_MAX_STARTS = 3
"""Calls of the agent's start in one attempt, each after agentd was gone again."""
_CLOCK_TOLERANCE = 0.05
"""Seconds by which a wait may be too short, since clocks are not exact."""


def decide_start(history: History, target: Target, timing: Timing, now: float) -> Decision:
    """Return what to do next for a start; `now` is in seconds since the run began."""
    if history.prior_stop and not history.prior_stop.successful:
        return Conclude(history.prior_stop)
    if not history.calls:
        return _prepare_call(history, timing, now)
    match history.calls[-1].reply:
        case Accepted() | NoAnswer() | Declined(ready_awaited=True):
            return _prove(history, target, timing, now)
        case _:
            return _handle_refusal(history, target, timing, now)


def _prepare_call(history: History, timing: Timing, now: float) -> Decision:
    """Call the agent's start as soon as no agentd is stopping and no orphan is in the way."""
    snapshot = history.snapshot
    if snapshot is None:
        return Look()
    if not snapshot.has_agentd:
        if snapshot.proved and not history.prior_stop:
            return StopFirst(f"agentd is gone and {snapshot} would keep new ones from starting")
        return CallControl("start")
    return AskStatus() if history.status is None else _call_beside_agentd(history, snapshot, timing, now)


def _call_beside_agentd(history: History, snapshot: Snapshot, timing: Timing, now: float) -> Decision:
    if not (isinstance(history.status, AgentdStatus) and history.status.state == "stopping"):
        return CallControl("start")
    left = history.began + timing.settle_for - now
    if left <= 0:
        return Conclude(NotReady("agentd was still stopping", snapshot.pids, now - history.began))
    return Wait(min(timing.poll_every, left), "agentd is stopping")


def _handle_refusal(history: History, target: Target, timing: Timing, now: float) -> Decision:
    """Try again where the lock was the reason, as soon as that can succeed; else say why the start was refused."""
    until = history.began + timing.settle_for
    again = retry_after_lock(history, "start", now, every=timing.lock_retry_every, until=until)
    match again:
        case Wait():
            return again
        case CallControl():
            return _prepare_call(history, timing, now)
        case None:
            if history.snapshot is None:
                return Look()
            return Conclude(_explain_refusal(history, history.snapshot, target))


def _explain_refusal(history: History, snapshot: Snapshot, target: Target) -> Outcome:
    match history.calls[-1].reply:
        case NoProgram():
            return NotInstalled(get_control_program(target), snapshot.pids)
        case Forbidden(detail):
            return NoPermission(detail)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case Declined(_, detail, ended_at_once=True):
            return EndedAtOnce(target.agent_home.rstrip("/"), detail)
        case Declined(code, detail):
            return Refused(code, detail, snapshot.pids)
        case reply:  # not a refusal
            raise ValueError(reply)


def _prove(history: History, target: Target, timing: Timing, now: float) -> Decision:
    """See the agent ready twice and its processes alive; where it is not ready, find out why."""
    status = history.status
    if status is None:
        return AskStatus()
    if isinstance(status, AgentdStatus) and status.ready and now < history.calls[-1].ended + timing.ready_for:
        times = _list_ready_times(history, status.pid)
        left = times[0] + timing.proof_gap - times[-1]
        if left > _CLOCK_TOLERANCE:
            return Wait(left, f"agentd {status.pid} must then still say that it is ready")
        if len(times) == 1:
            return AskStatus()
    return Look() if history.snapshot is None else _judge(history, history.snapshot, target, timing, now)


def _judge(history: History, snapshot: Snapshot, target: Target, timing: Timing, now: float) -> Decision:
    match history.status:
        case AgentdStatus(ready=True) as status if _is_ready_twice(history, status, timing) and (
            pids := _find_processes(status, snapshot, target)
        ):
            return Conclude(_make_success(history, status, pids))
        case NoProgram():
            return Conclude(NotInstalled(get_control_program(target), snapshot.pids))
        case Forbidden(detail):
            return Conclude(NoPermission(detail))
        case _:
            return _wait_until_ready(history, snapshot, timing, now)


def _list_ready_times(history: History, agentd: int) -> list[float]:
    """Return when statuses said that this agentd is ready, since one last said anything else."""
    times: list[float] = []
    for check in history.checks:
        same = isinstance(check.reply, AgentdStatus) and check.reply.ready and check.reply.pid == agentd
        times = [*times, check.at] if same else []
    return times


def _is_ready_twice(history: History, status: AgentdStatus, timing: Timing) -> bool:
    times = _list_ready_times(history, status.pid)
    return len(times) > 1 and times[-1] - times[0] >= timing.proof_gap - _CLOCK_TOLERANCE


def _find_processes(status: AgentdStatus, snapshot: Snapshot, target: Target) -> tuple[int, ...] | None:
    """Return the pids of the three processes that the status names; None where the look has not found them all."""
    agentd, *services = get_process_names(target)
    named = {(agentd, status.pid)}
    named |= {
        (name, service.pid)
        for service in status.services
        for name in services
        if service.name[:MAX_NAME_LENGTH] == name
    }
    if len(named) <= len(services) or not named <= {(process.name, process.pid) for process in snapshot.proved}:
        return None
    return tuple(sorted(pid for _, pid in named))


def _make_success(history: History, status: AgentdStatus, pids: tuple[int, ...]) -> Outcome:
    before = history.first_snapshot.pids if history.first_snapshot else ()
    return AlreadyRunning(pids) if status.pid in before and not history.prior_stop else Started(pids)


def _wait_until_ready(history: History, snapshot: Snapshot, timing: Timing, now: float) -> Decision:
    """Wait while the agent may still become ready; stop it once where it will not; give up when the time is over."""
    until = history.calls[-1].ended + timing.ready_for
    if not snapshot.has_agentd:
        if len(history.calls) < _MAX_STARTS and now < until:
            return _prepare_call(history, timing, now)
        return Conclude(_give_up(history, snapshot, "agentd is gone again", now))
    abandoned = _list_abandoned_services(history, timing)
    if abandoned and not history.prior_stop:
        return StopFirst(f"agentd has given up {', '.join(sorted(abandoned))}, and its start does not mend that")
    if now < until and not abandoned:
        return Wait(min(timing.poll_every, until - now), f"the agent is not ready yet: {history.status}")
    return Conclude(_give_up(history, snapshot, _explain_status(history), now))


def _list_abandoned_services(history: History, timing: Timing) -> frozenset[str]:
    """Return the services that agentd has reported as stopped for some seconds."""
    last = history.checks[-1]
    if not isinstance(last.reply, AgentdStatus):
        return frozenset()
    abandoned = last.reply.abandoned_services
    earlier = [check for check in history.checks if check.at <= last.at - timing.proof_gap + _CLOCK_TOLERANCE]
    recent = [check for check in history.checks if check not in earlier]
    if not earlier:
        return frozenset()
    for check in (earlier[-1], *recent):
        if not (isinstance(check.reply, AgentdStatus) and check.reply.pid == last.reply.pid):
            return frozenset()
        abandoned &= check.reply.abandoned_services
    return abandoned


def _give_up(history: History, snapshot: Snapshot, reason: str, now: float) -> Outcome:
    if snapshot.processes and not snapshot.proved:
        return NoPermission(f"the executables of {snapshot} cannot be read, so nothing proves whose they are")
    return NotReady(reason, snapshot.pids, now - history.calls[0].began)


def _explain_status(history: History) -> str:
    match history.status:
        case AgentdStatus(ready=True) as status:
            return f"{status}, but it is not the agentd of before, or its processes were not found"
        case NoAnswer(limit):
            return f"agentd did not answer within {limit:g} s"
        case Declined(_, detail) | Unclear(detail):
            return f"the status was: {' '.join(detail.split())}"
        case status:
            return str(status)
