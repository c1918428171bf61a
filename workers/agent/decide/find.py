"""Decides what to do next to find the agent on a host: whether it is installed, its version, and whether it runs."""

from typing import assert_never

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.find import AgentAbsent, AgentPresent
from core.outcome.start import NotReady
from workers.agent.decision import AskStatus, CallControl, Conclude, Decision, Look, Wait
from workers.agent.history import History
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoAnswer, NoProgram, Reply, Unclear
from workers.agent.host.agentctl_status import AgentdStatus
from workers.agent.host.processes import Snapshot, get_control_program
from workers.agent.timing import Timing


def decide_find(history: History, target: Target, timing: Timing, now: float) -> Decision:
    """Return what to do next; `now` is in seconds since the run began.

    Nothing changes on the host. An agent that runs gets time to become ready.
    """
    if history.first_snapshot is None:
        return Look()
    if not history.calls:
        return CallControl("version")
    match history.calls[0].reply:
        case Accepted(message):
            return _check_running(history, str(message), timing, now)
        case reply:
            return Conclude(_explain_missing_version(reply, history.first_snapshot, target))


def _explain_missing_version(reply: Reply, snapshot: Snapshot, target: Target) -> Outcome:
    program = get_control_program(target)
    match reply:
        case NoProgram():
            return NotInstalled(program, snapshot.pids) if snapshot.processes else AgentAbsent(program)
        case Forbidden(detail):
            return NoPermission(detail)
        case Declined(code, detail):
            return Refused(code, detail, snapshot.pids)
        case Unclear(detail):
            return UnexpectedAnswer(detail)
        case NoAnswer(limit):
            return UnexpectedAnswer(f"{program} version did not end within {limit:g} s")
        case Accepted():
            raise ValueError(reply)
        case _:
            assert_never(reply)


def _check_running(history: History, version: str, timing: Timing, now: float) -> Decision:
    """Tell whether the agent runs: it does when it says that it is ready, and it does not when no process lives."""
    snapshot, status = history.snapshot, history.status
    if snapshot is None:
        return Look()
    if not snapshot.processes or (isinstance(status, AgentdStatus) and status.ready):
        return Conclude(AgentPresent(version, snapshot.pids))
    if status is None:
        return AskStatus()
    until = history.calls[0].ended + timing.ready_for
    if now < until:
        return Wait(min(timing.poll_every, until - now), "the agent runs and is not ready yet")
    reason = str(status) if isinstance(status, AgentdStatus) else "agentd did not answer"
    return Conclude(NotReady(reason, snapshot.pids, now))
