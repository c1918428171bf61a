"""The doing of what is decided on one host over an open connection: writes the journal, tells the story so far."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar, assert_never

from core.command import Command
from core.host import Target
from core.journal import Journal, Level, clip
from core.outcome.agentctl import NoPermission, UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from workers.agent.decide.stop import decide
from workers.agent.history import (
    Ask,
    Asked,
    Call,
    CallControl,
    Conclude,
    Deed,
    Look,
    Sent,
    Signal,
    Step,
    Stop,
    StopFirst,
    Story,
    Verb,
    Wait,
)
from workers.agent.host.agentctl_reply import NoAnswer, read_answer, refused_by_sudo
from workers.agent.host.agentctl_status import read_report
from workers.agent.host.commands import (
    StopSeen,
    UnreadableAnswerError,
    Word,
    called_stop,
    control_command,
    look_command,
    read_look,
    read_signal,
    read_stop,
    signal_command,
    stop_command,
)
from workers.agent.host.processes import Sight
from workers.agent.timing import StopPolicy
from workers.executor.base import CommandTimeout, Completed, ConnectionFailed, NotBegun, Session

_LOOKING = "looking at the agent's processes"

T = TypeVar("T")
Decide: TypeAlias = Callable[[Story, float], Step]
"""Says what to do next, from the story so far and the seconds since the run began."""


class _EndsHereError(Exception):
    """One of our own scripts could not do its work on the host, and without it nothing can be proved."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence())
        self.outcome = outcome


@dataclass(slots=True)
class Run:
    """The doing of one stop's or start's steps.

    The arguments are those of `workers.agent.stop.stop_agent`; the policy is that of a stop for a start as well.
    `look` builds the command that lists the processes that matter, `control` a call of the agent's control program.
    """

    session: Session
    target: Target
    policy: StopPolicy
    journal: Journal
    stands: Callable[[], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    look: Callable[[Target], Command] = look_command
    control: Callable[[Target, Word], Command] = control_command
    began: float = field(init=False)
    """What the clock said when the run began."""

    def __post_init__(self) -> None:
        """Begin."""
        self.began = self.monotonic()

    def now(self) -> float:
        """Return the seconds since the run began."""
        return self.monotonic() - self.began

    async def through(self, decide: Decide) -> Outcome:
        """Do what is decided until it is over; a connection that is lost on the way is an outcome too."""
        story = Story()
        try:
            while True:
                step = decide(story, self.now())
                if isinstance(step, Conclude):
                    return step.outcome
                story = await self._do(step, story)
        except ConnectionFailed as failure:
            return failure.outcome
        except _EndsHereError as end:
            return end.outcome

    async def _do(self, step: Deed, story: Story) -> Story:
        """Do one step and return the story with it."""
        match step:
            case Look():
                doing = self._look(story)
            case Ask():
                doing = self._ask(story)
            case Stop():
                doing = self._stop(story)
            case CallControl(verb):
                doing = self._call(verb, story)
            case StopFirst(why):
                doing = self._stop_first(why, story)
            case Signal():
                doing = self._signal(step, story)
            case Wait(seconds=seconds, why=why):
                doing = self._wait(seconds, why, story)
            case _:
                assert_never(step)
        return await doing

    async def _wait(self, seconds: float, why: str, story: Story) -> Story:
        self.journal.say(f"Waiting {seconds:.1f} s: {why}.")
        await self.sleep(seconds)
        return _anew(story)

    async def _look(self, story: Story) -> Story:
        completed = await self._script(self.look(self.target), _LOOKING)
        seen = self._understood(completed, read_look)
        self._tell(seen, "Seen")
        return replace(story, before=story.before or seen, now_seen=seen, met=story.met | _pids(seen))

    def _tell(self, seen: Sight, when: str) -> None:
        self.journal.say(f"{when}: {seen}.", Level.WARN if seen.restricted else Level.INFO)
        if self.look is look_command and (seen.processes or not seen.restricted):
            self.journal.agent_alive = bool(seen.processes)

    async def _stop(self, story: Story) -> Story:
        began, touched = self.now(), self.journal.touched
        seen = await self._stop_seen(touched=touched)
        self.journal.touched = touched or bool(seen.before.processes)
        self._tell(seen.before, "Seen before the stop")
        answer = read_answer(call) if (call := self._heard(seen.call)) else NoAnswer(self.policy.command_timeout)
        met = story.met | _pids(seen.before)
        if seen.after:
            self._tell(seen.after, "Seen after it")
            met |= _pids(seen.after)
        calls = (*story.calls, Call(answer, began, self.now()))
        before = story.before or seen.before
        return replace(story, before=before, calls=calls, asked=(), now_seen=seen.after, now_said=None, met=met)

    async def _stop_seen(self, *, touched: bool) -> StopSeen:
        try:
            completed = await self._execute(stop_command(self.target), may_touch=True)
        except CommandTimeout as late:
            try:
                return read_stop(late.so_far)
            except UnreadableAnswerError:
                raise _EndsHereError(TimedOut(_LOOKING, self.policy.command_timeout)) from None
        try:
            return self._read(completed, read_stop)
        except _EndsHereError:
            self.journal.touched = touched or called_stop(completed)
            raise

    async def _ask(self, story: Story) -> Story:
        completed = await self._control("status")
        said = read_report(completed) if completed else NoAnswer(self.policy.command_timeout)
        return replace(story, asked=(*story.asked, Asked(said, self.now())), now_said=said)

    async def _call(self, verb: Verb, story: Story) -> Story:
        began = self.now()
        if verb != "version":
            self._touch(stopping=verb == "stop", story=story)
        completed = await self._control(verb)
        answer = read_answer(completed) if completed else NoAnswer(self.policy.command_timeout)
        return replace(_anew(story), calls=(*story.calls, Call(answer, began, self.now())), asked=())

    def _touch(self, *, stopping: bool, story: Story) -> None:
        """Note, before a command that stops or starts the agent, that the run may change what was there before it.

        To stop an agent that does not run, and to start one that does, changes nothing. Between two calls of its stop
        somebody else's start may have held the lock.
        """
        ran = story.before is not None and story.before.has_agentd
        if stopping and (story.calls or story.met or (story.before is not None and story.before.processes)):
            self.journal.touched = True
        if not stopping and not ran:
            self.journal.touched = True

    async def _control(self, verb: Word) -> Completed | None:
        """Call the agent's control program; None where it did not answer in time."""
        try:
            return self._heard(await self._execute(self.control(self.target, verb)))
        except TimeoutError:
            return self._heard(None)

    def _heard(self, completed: Completed | None) -> Completed | None:
        """Put into the journal what the control program answered, None where it did not in time, and return it."""
        if completed is None:
            limit = self.policy.command_timeout
            self.journal.say(f"No answer within {limit:g} s; the command may go on on the host.", Level.WARN)
            return None
        self._journal_output(completed)
        return completed

    async def _stop_first(self, why: str, story: Story) -> Story:
        self.journal.say(f"Stopping the agent first: {why}.", Level.WARN)
        touched = self.journal.touched
        outcome = await replace(self).through(lambda told, now: decide(told, self.target, self.policy, now))
        self.journal.touched = touched  # what is stopped to be started anew is no stop
        self.journal.say(outcome.sentence(), Level.INFO if outcome.successful else Level.WARN)
        return Story(before=story.before, met=story.met, mended=outcome, since=self.now())

    async def _signal(self, step: Signal, story: Story) -> Story:
        command = signal_command(self.target, step.signal, step.processes)
        self._touch(stopping=True, story=story)
        completed = await self._script(command, "signalling the agent's processes")
        delivery = self._understood(completed, read_signal)
        self.journal.say(f"{step.signal}: {delivery}.")
        sent = Sent(step.signal, step.processes, delivery, self.now())
        return replace(_anew(story), sent=(*story.sent, sent))

    async def _script(self, command: Command, doing: str) -> Completed:
        try:
            return await self._execute(command)
        except TimeoutError:
            raise _EndsHereError(TimedOut(doing, self.policy.command_timeout)) from None

    async def _execute(self, command: Command, *, may_touch: bool = False) -> Completed:
        while True:
            await self.stands()
            self.journal.touched |= may_touch
            self.journal.command(command)
            try:
                return await self.session.run(command, timeout=self.policy.command_timeout)
            except NotBegun:
                self.journal.say("Not sent: the worker stood still meanwhile. It asks whose the host is.", Level.WARN)

    def _understood(self, completed: Completed, read: Callable[[Completed], T]) -> T:
        """Read what a script of ours said. Its output goes to the journal only where it says more than was read."""
        said = self._read(completed, read)
        if completed.stderr:
            self.journal.say(f"stderr: {clip(completed.stderr)}", Level.WARN)
        return said

    def _read(self, completed: Completed, read: Callable[[Completed], T]) -> T:
        try:
            return read(completed)
        except UnreadableAnswerError as error:
            self._journal_output(completed)
            refusal = refused_by_sudo(completed)
            raise _EndsHereError(NoPermission(refusal) if refusal else UnexpectedAnswer(str(error))) from error

    def _journal_output(self, completed: Completed) -> None:
        self.journal.output(
            exit_status=completed.exit_status,
            signal=completed.signal,
            stdout=completed.stdout,
            stderr=completed.stderr,
        )


def _pids(seen: Sight) -> frozenset[int]:
    """Return the pids of those that are certainly this agent's."""
    return frozenset(process.pid for process in seen.proved)


def _anew(story: Story) -> Story:
    """Return the story with what was seen and said being past: the host may be another by now."""
    return replace(story, now_seen=None, now_said=None)
