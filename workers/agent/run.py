"""Does on one host what a decider says, over an open connection, and keeps the history and the journal of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from core.command import Command
from core.host import Target
from core.journal import Journal, Level
from core.outcome.base import Outcome
from workers.agent.command_runner import LOOKING, CommandRunner, RunEndedError
from workers.agent.decide.stop import decide_stop
from workers.agent.decide.table import Decide
from workers.agent.decision import (
    AskStatus,
    CallControl,
    Conclude,
    Instruction,
    Look,
    LookForProxy,
    Signal,
    StopAgent,
    StopFirst,
    Wait,
)
from workers.agent.history import Call, History, SignalRound, StatusCheck
from workers.agent.host.agentctl_reply import NoAnswer, read_reply
from workers.agent.host.agentctl_status import read_status
from workers.agent.host.commands import (
    build_control_command,
    build_look_command,
    build_proxy_look_command,
    build_service_command,
    build_signal_command,
    build_stop_command,
)
from workers.agent.host.output import read_look, read_signal
from workers.agent.host.processes import Snapshot
from workers.agent.timing import Timing
from workers.executor.base import HostConnectionError, HostSession


@dataclass(slots=True)
class Run:
    """The work on one host over one connection."""

    session: HostSession
    """An open connection to the host."""
    target: Target
    """The host."""
    timing: Timing
    """How long to wait, and how far to go."""
    journal: Journal
    """Gets each command, its output and what was seen. The verdict is the caller's to add."""
    before_command: Callable[[], Awaitable[None]]
    """Awaited before each command. Raises where the work is no longer this worker's, and the caller gets that error."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for some seconds."""
    monotonic: Callable[[], float] = time.monotonic
    """A clock that only goes forward, in seconds."""
    _commands: CommandRunner = field(init=False)
    _began: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._commands = CommandRunner(self.session, self.timing.command_timeout, self.journal, self.before_command)

    async def follow(self, decide: Decide) -> Outcome:
        """Do what a decider says until it concludes; a connection that is lost on the way is an outcome too."""
        self._began = self.monotonic()
        history = History()
        try:
            while True:
                decision = decide(history, self.target, self.timing, self._now())
                if isinstance(decision, Conclude):
                    return decision.outcome
                history = await self._do(decision, history)
        except HostConnectionError as failure:
            return failure.outcome
        except RunEndedError as end:
            return end.outcome

    def _now(self) -> float:
        """Return the seconds since the run began."""
        return self.monotonic() - self._began

    async def _do(self, instruction: Instruction, history: History) -> History:
        """Do one thing and return the history with it."""
        match instruction:
            case Look():
                work = self._look(history)
            case LookForProxy():
                work = self._look_for_proxy(history)
            case AskStatus():
                work = self._ask_status(history)
            case StopAgent():
                work = self._stop_agent(history)
            case CallControl():
                work = self._call_control(instruction, history)
            case StopFirst(reason):
                work = self._stop_first(reason, history)
            case Signal():
                work = self._signal(instruction, history)
            case Wait(seconds, reason):
                work = self._wait(seconds, reason, history)
            case _:
                assert_never(instruction)
        return await work

    async def _wait(self, seconds: float, reason: str, history: History) -> History:
        self.journal.add(f"Waiting {seconds:.1f} s: {reason}.")
        await self.sleep(seconds)
        return history.forget_observations()

    async def _look(self, history: History) -> History:
        snapshot = await self._run_look(build_look_command(self.target))
        self._record_snapshot(snapshot, "Seen")
        return _add_snapshot(history, snapshot)

    async def _look_for_proxy(self, history: History) -> History:
        snapshot = await self._run_look(build_proxy_look_command(self.target))
        self._say_snapshot(snapshot, "Seen")
        return _add_snapshot(history, snapshot)

    async def _run_look(self, command: Command) -> Snapshot:
        return await self._commands.run_script(command, LOOKING, read_look)

    def _record_snapshot(self, snapshot: Snapshot, when: str) -> None:
        self._say_snapshot(snapshot, when)
        if snapshot.processes or not snapshot.restricted:
            self.journal.agent_alive = bool(snapshot.processes)

    def _say_snapshot(self, snapshot: Snapshot, when: str) -> None:
        self.journal.add(f"{when}: {snapshot}.", Level.WARN if snapshot.restricted else Level.INFO)

    async def _stop_agent(self, history: History) -> History:
        began, touched = self._now(), self.journal.touched
        result = await self._commands.run_stop(build_stop_command(self.target), touched=touched)
        self.journal.touched = touched or bool(result.before.processes)
        self._record_snapshot(result.before, "Seen before the stop")
        self._commands.record_reply(result.call)
        reply = read_reply(result.call) if result.call else NoAnswer(self.timing.command_timeout)
        known_pids = history.known_pids | result.before.proved_pids
        if result.after:
            self._record_snapshot(result.after, "Seen after it")
            known_pids |= result.after.proved_pids
        return replace(
            history,
            first_snapshot=history.first_snapshot or result.before,
            calls=(*history.calls, Call(reply, began, self._now())),
            checks=(),
            snapshot=result.after,
            status=None,
            known_pids=known_pids,
        )

    async def _ask_status(self, history: History) -> History:
        completed = await self._commands.call_control(build_control_command(self.target, "status"))
        reply = read_status(completed) if completed else NoAnswer(self.timing.command_timeout)
        return replace(history, checks=(*history.checks, StatusCheck(reply, self._now())), status=reply)

    async def _call_control(self, call: CallControl, history: History) -> History:
        began = self._now()
        if call.verb != "version":
            self._note_touch(stopping=call.verb == "stop", history=history)
        if call.service is None:
            command = build_control_command(self.target, call.verb)
        else:
            command = build_service_command(self.target, call.verb, call.service)
        completed = await self._commands.call_control(command)
        reply = read_reply(completed) if completed else NoAnswer(self.timing.command_timeout)
        calls = (*history.calls, Call(reply, began, self._now()))
        return replace(history.forget_observations(), calls=calls, checks=())

    def _note_touch(self, *, stopping: bool, history: History) -> None:
        """Note, before a command that stops or starts the agent, that the run may change the agent.

        To stop an agent that does not run, and to start one that does, changes nothing. Between two calls of its stop
        the start of somebody else may have held the lock.
        """
        first = history.first_snapshot
        if stopping and (history.calls or history.known_pids or (first is not None and first.processes)):
            self.journal.touched = True
        if not stopping and not (first is not None and first.has_agentd):
            self.journal.touched = True

    async def _stop_first(self, reason: str, history: History) -> History:
        self.journal.add(f"Stopping the agent first: {reason}.", Level.WARN)
        touched = self.journal.touched
        outcome = await replace(self).follow(decide_stop)
        self.journal.touched = touched  # the start that follows makes good for this stop
        self.journal.add(outcome.sentence(), Level.INFO if outcome.successful else Level.WARN)
        return History(
            first_snapshot=history.first_snapshot,
            known_pids=history.known_pids,
            prior_stop=outcome,
            began=self._now(),
        )

    async def _signal(self, order: Signal, history: History) -> History:
        command = build_signal_command(self.target, order.signal, order.processes)
        self._note_touch(stopping=True, history=history)
        delivery = await self._commands.run_script(command, "signalling the agent's processes", read_signal)
        self.journal.add(f"{order.signal}: {delivery}.")
        sent = SignalRound(order.signal, order.processes, delivery, self._now())
        return replace(history.forget_observations(), signals=(*history.signals, sent))


def _add_snapshot(history: History, snapshot: Snapshot) -> History:
    return replace(
        history,
        first_snapshot=history.first_snapshot or snapshot,
        snapshot=snapshot,
        known_pids=history.known_pids | snapshot.proved_pids,
    )
