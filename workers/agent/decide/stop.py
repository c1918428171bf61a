"""What to do next on a host whose agent is to be stopped: a pure function of what has happened there so far.

The host is believed and not the command: a stop has succeeded when a look after it finds no live process, whatever the
agent's control program said, and has not when it finds one. Its answer only tells what is worth trying next.
"""

from typing import assert_never

from core.host import Target
from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import Outcome
from core.outcome.stop import AlreadyStopped, StillRunning, Stopped
from workers.agent.decide.lock import after_lock
from workers.agent.history import Conclude, Look, Sent, Signal, SignalName, Step, Stop, Story, Wait
from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, Missing, NoAnswer, Unclear
from workers.agent.host.processes import AgentProcess, Sight, control_program
from workers.agent.timing import StopPolicy

_MOST_SIGNALS = 8
"""Rounds of signals in one run. More are needed only where something keeps starting the agent anew."""


def decide(story: Story, target: Target, policy: StopPolicy, now: float) -> Step:
    """Return the next step of a stop; `now` is in seconds since the run began."""
    if not story.calls:
        return Stop()
    until = story.calls[0].began + policy.lock_retry_for
    again = after_lock(story, "stop", now, every=policy.lock_retry_every, until=until)
    if again is not None:
        return again
    if story.now_seen is None:
        return Look()
    if not story.now_seen.processes:
        return Conclude(_nothing_left(story, story.now_seen, target))
    return _with_live(story, story.now_seen, target, policy, now)


def _nothing_left(story: Story, seen: Sight, target: Target) -> Outcome:
    if isinstance(story.calls[-1].answer, Missing):
        return NotInstalled(control_program(target))
    if story.met:
        signalled = {pid for sent in story.sent for pid in sent.delivery.sent}
        return Stopped(tuple(sorted(story.met)), tuple(sorted(signalled)))
    if seen.restricted:
        return NoPermission("the host hides the processes of other users, so that nothing proves the agent stopped")
    return AlreadyStopped()


def _with_live(story: Story, seen: Sight, target: Target, policy: StopPolicy, now: float) -> Step:
    answer = story.calls[-1].answer
    match answer:
        case Missing():
            return Conclude(NotInstalled(control_program(target), seen.pids))
        case Forbidden(detail):
            return Conclude(NoPermission(detail))
        case Unclear(detail):
            return Conclude(UnexpectedAnswer(f"{detail} ({_alive(seen)})"))
        case NoAnswer():
            return Conclude(_still_running(story, seen, now))
        case Declined(code, detail) if not (answer.exit_awaited or answer.pid_file_bad):
            return Conclude(Refused(code, detail, seen.pids))
        case Declined() | Accepted():
            return _escalate(story, seen, policy, now)
        case _:
            assert_never(answer)


def _escalate(story: Story, seen: Sight, policy: StopPolicy, now: float) -> Step:
    """Wait for processes that were told to end; tell those that were not; kill them at last, where that is allowed.

    Children are left alone while agentd lives: it would start them anew.
    """
    suspects = tuple(process for process in seen.proved if process.is_agentd) or seen.proved
    if any(sent.delivery.refused for sent in story.sent):
        return Conclude(_may_not_signal(story))
    until = _patience(story, seen, suspects, policy)
    if now < until:
        return Wait(min(policy.poll_every, until - now), f"{seen} may still end")
    for signal in _allowed(story, suspects, policy):
        untold = _untold(story, suspects, signal)
        if untold and len(story.sent) < _MOST_SIGNALS:
            return Signal(signal, untold)
    return Conclude(_still_running(story, seen, now))


def _patience(story: Story, seen: Sight, suspects: tuple[AgentProcess, ...], policy: StopPolicy) -> float:
    """Return until when, in seconds since the run began, the suspects are given time to end."""
    call = story.calls[-1]
    if not suspects:
        return max(call.ended, story.sent[-1].at if story.sent else 0.0) + policy.proof_wait
    meant = {_identity(process) for process in suspects}
    waits = [_wait_after(sent, policy) for sent in story.sent if meant & set(map(_identity, sent.processes))]
    if _told_by_agentctl(story) and any(process.is_agentd for process in seen.proved):
        waits.append(call.ended + policy.verify_after_timeout)
    return max(waits, default=0.0)


def _wait_after(sent: Sent, policy: StopPolicy) -> float:
    if sent.signal == "KILL":
        return sent.at + policy.kill_wait
    to_agentd = any(process.is_agentd for process in sent.processes)
    return sent.at + (policy.verify_after_timeout if to_agentd else policy.orphan_wait)


def _allowed(story: Story, suspects: tuple[AgentProcess, ...], policy: StopPolicy) -> tuple[SignalName, ...]:
    """Return the signals that may be sent, the milder first. The agent's own stop has sent agentd its TERM already."""
    told = _told_by_agentctl(story) and any(process.is_agentd for process in suspects)
    mild: tuple[SignalName, ...] = () if told else ("TERM",)
    return (*mild, "KILL") if policy.kill_allowed else mild


def _untold(story: Story, suspects: tuple[AgentProcess, ...], signal: SignalName) -> tuple[AgentProcess, ...]:
    told = {_identity(process) for sent in story.sent if sent.signal == signal for process in sent.processes}
    return tuple(process for process in suspects if _identity(process) not in told)


def _identity(process: AgentProcess) -> tuple[int, int]:
    return process.pid, process.start_ticks


def _told_by_agentctl(story: Story) -> bool:
    answer = story.calls[-1].answer
    return isinstance(answer, Declined) and answer.exit_awaited


def _still_running(story: Story, seen: Sight, now: float) -> Outcome:
    if not seen.proved:
        return NoPermission(f"the executables of {_alive(seen)} cannot be read, so nothing proves whose they are")
    return StillRunning(seen.pids, now - story.calls[0].began)


def _may_not_signal(story: Story) -> Outcome:
    refused = ", ".join(str(pid) for sent in story.sent for pid in sent.delivery.refused)
    return NoPermission(f"the agent's own stop left processes alive, and this user may not signal {refused}")


def _alive(seen: Sight) -> str:
    return f"{seen} alive"
