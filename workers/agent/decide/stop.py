"""Decides what to do next on a host whose agent is to be stopped, from what has happened there so far.

The host is believed and not the command: a stop has succeeded when a look after it finds no live process of the agent,
and it has failed when the look finds one. What the agent's control program said only tells what to try next.
"""

from typing import assert_never

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.stop import AlreadyStopped, StillRunning, Stopped
from workers.agent.decide.lock import retry_after_lock
from workers.agent.decision import Conclude, Decision, Look, Signal, StopAgent, Wait
from workers.agent.history import History, SignalName, SignalRound
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoAnswer, NoProgram, Unclear
from workers.agent.host.processes import AgentProcess, Snapshot, get_control_program
from workers.agent.timing import Timing

_MAX_SIGNAL_ROUNDS = 8
"""Rounds of signals in one run. More are needed only where something keeps starting the agent again."""


def decide_stop(history: History, target: Target, timing: Timing, now: float) -> Decision:
    """Return what to do next for a stop; `now` is in seconds since the run began."""
    if not history.calls:
        return StopAgent()
    until = history.calls[0].began + timing.lock_retry_for
    again = retry_after_lock(history, "stop", now, every=timing.lock_retry_every, until=until)
    if again is not None:
        return again
    if history.snapshot is None:
        return Look()
    if not history.snapshot.processes:
        return Conclude(_conclude_without_processes(history, history.snapshot, target))
    return _handle_live_processes(history, history.snapshot, target, timing, now)


def _conclude_without_processes(history: History, snapshot: Snapshot, target: Target) -> Outcome:
    if isinstance(history.calls[-1].reply, NoProgram):
        return NotInstalled(get_control_program(target))
    if history.known_pids:
        signalled = {pid for sent in history.signals for pid in sent.delivery.sent}
        return Stopped(tuple(sorted(history.known_pids)), tuple(sorted(signalled)))
    if snapshot.restricted:
        return NoPermission("the host hides the processes of other users, so nothing proves that the agent stopped")
    return AlreadyStopped()


def _handle_live_processes(
    history: History, snapshot: Snapshot, target: Target, timing: Timing, now: float
) -> Decision:
    reply = history.calls[-1].reply
    match reply:
        case NoProgram():
            return Conclude(NotInstalled(get_control_program(target), snapshot.pids))
        case Forbidden(detail):
            return Conclude(NoPermission(detail))
        case Unclear(detail):
            return Conclude(UnexpectedAnswer(f"{detail} ({snapshot} alive)"))
        case NoAnswer():
            return Conclude(_conclude_still_running(history, snapshot, now))
        case Declined(code, detail) if not (reply.exit_awaited or reply.pid_file_bad):
            return Conclude(Refused(code, detail, snapshot.pids))
        case Declined() | Accepted():
            return _escalate(history, snapshot, timing, now)
        case _:
            assert_never(reply)


def _escalate(history: History, snapshot: Snapshot, timing: Timing, now: float) -> Decision:
    """Wait for processes that were told to end, tell those that were not, and at last kill them where that is allowed.

    agentd's children are left alone while it lives: it would start them again.
    """
    targets = tuple(process for process in snapshot.proved if process.is_agentd) or snapshot.proved
    if any(sent.delivery.refused for sent in history.signals):
        return Conclude(_conclude_signal_refused(history))
    until = _find_deadline(history, snapshot, targets, timing)
    if now < until:
        return Wait(min(timing.poll_every, until - now), f"{snapshot} may still end")
    for signal in _list_allowed_signals(history, targets, timing):
        untold = _find_unsignalled(history, targets, signal)
        if untold and len(history.signals) < _MAX_SIGNAL_ROUNDS:
            return Signal(signal, untold)
    return Conclude(_conclude_still_running(history, snapshot, now))


def _find_deadline(history: History, snapshot: Snapshot, targets: tuple[AgentProcess, ...], timing: Timing) -> float:
    """Return until when, in seconds since the run began, these processes are given time to end."""
    call = history.calls[-1]
    if not targets:
        return max(call.ended, history.signals[-1].at if history.signals else 0.0) + timing.proof_wait
    identities = set(map(_identify, targets))
    deadlines = [
        _find_signal_deadline(sent, timing)
        for sent in history.signals
        if identities & set(map(_identify, sent.processes))
    ]
    if _has_agentctl_told_agentd(history) and any(process.is_agentd for process in snapshot.proved):
        deadlines.append(call.ended + timing.verify_after_timeout)
    return max(deadlines, default=0.0)


def _find_signal_deadline(sent: SignalRound, timing: Timing) -> float:
    if sent.signal == "KILL":
        return sent.at + timing.kill_wait
    to_agentd = any(process.is_agentd for process in sent.processes)
    return sent.at + (timing.verify_after_timeout if to_agentd else timing.orphan_wait)


def _list_allowed_signals(
    history: History, targets: tuple[AgentProcess, ...], timing: Timing
) -> tuple[SignalName, ...]:
    """Return the signals that may be sent, the milder first. The agent's own stop has sent agentd its TERM already."""
    told = _has_agentctl_told_agentd(history) and any(process.is_agentd for process in targets)
    mild: tuple[SignalName, ...] = () if told else ("TERM",)
    return (*mild, "KILL") if timing.kill_allowed else mild


def _find_unsignalled(
    history: History, targets: tuple[AgentProcess, ...], signal: SignalName
) -> tuple[AgentProcess, ...]:
    told = {_identify(process) for sent in history.signals if sent.signal == signal for process in sent.processes}
    return tuple(process for process in targets if _identify(process) not in told)


def _identify(process: AgentProcess) -> tuple[int, int]:
    return process.pid, process.start_ticks


def _has_agentctl_told_agentd(history: History) -> bool:
    reply = history.calls[-1].reply
    return isinstance(reply, Declined) and reply.exit_awaited


def _conclude_still_running(history: History, snapshot: Snapshot, now: float) -> Outcome:
    if not snapshot.proved:
        return NoPermission(f"the executables of {snapshot} cannot be read, so nothing proves whose they are")
    return StillRunning(snapshot.pids, now - history.calls[0].began)


def _conclude_signal_refused(history: History) -> Outcome:
    refused = ", ".join(str(pid) for sent in history.signals for pid in sent.delivery.refused)
    return NoPermission(f"the agent's own stop left processes alive, and this user may not signal {refused}")
