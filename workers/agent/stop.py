"""Stopping the agent on one host over an open connection: look, call the agent's own stop, look, and whatever it takes.

`decide` says what to do; this does it, writes it to the journal and tells the story so far.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from core.command import Command
from core.host import Target
from core.journal import Journal, Level, clip
from core.outcome import NoPermission, Outcome, TimedOut, UnexpectedAnswer
from workers.agent.answer import NoAnswer, read_answer, refused_by_sudo
from workers.agent.decide import decide
from workers.agent.policy import StopPolicy
from workers.agent.remote import (
    UnreadableAnswerError,
    look_command,
    read_look,
    read_signal,
    signal_command,
    stop_command,
)
from workers.agent.story import Call, CallStop, Conclude, Look, Sent, Signal, Story, Wait
from workers.executor.base import Completed, ConnectionFailed, Session

__all__ = ["StopPolicy", "stop_agent"]

T = TypeVar("T")


async def stop_agent(  # noqa: PLR0913 - what a stop needs, each named by its caller
    session: Session,
    target: Target,
    *,
    policy: StopPolicy,
    journal: Journal,
    stands: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Stop the agent on a host and prove it.

    Args:
        session: an open connection to the host.
        target: the host.
        policy: how patient to be, and how far to go.
        journal: gets each command, what it answered and what was seen; not the verdict, which is the caller's to add.
        stands: awaited before each command on the host; raises where the work is no longer this worker's to do. What
            it raises is passed on.
        sleep: waits for some seconds.
        monotonic: a clock that only goes forward, in seconds.

    Returns:
        The outcome; a connection that is lost on the way is one too.
    """
    run = _Run(session, target, policy, journal, stands, sleep, monotonic, monotonic())
    story = Story()
    try:
        while True:
            step = decide(story, target, policy, run.now())
            if isinstance(step, Conclude):
                return step.outcome
            story = await run.do(step, story)
    except ConnectionFailed as failure:
        return failure.outcome
    except _EndsHereError as end:
        return end.outcome


class _EndsHereError(Exception):
    """One of our own scripts could not do its work on the host, and without it nothing can be proved."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence())
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Run:
    """The doing of one stop's steps."""

    session: Session
    target: Target
    policy: StopPolicy
    journal: Journal
    stands: Callable[[], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]]
    monotonic: Callable[[], float]
    began: float

    def now(self) -> float:
        """Return the seconds since the run began."""
        return self.monotonic() - self.began

    async def do(self, step: Look | CallStop | Signal | Wait, story: Story) -> Story:
        """Do one step and return the story with it."""
        match step:
            case Look():
                return await self._look(story)
            case CallStop():
                return await self._call(story)
            case Signal():
                return await self._signal(step, story)
            case Wait(seconds=seconds, why=why):
                self.journal.say(f"Waiting {seconds:.1f} s: {why}.")
                await self.sleep(seconds)
                return replace(story, now_seen=None)
            case _:
                assert_never(step)

    async def _look(self, story: Story) -> Story:
        completed = await self._script(look_command(self.target), "looking at the agent's processes")
        seen = self._understood(completed, read_look)
        self.journal.say(f"Seen: {seen}.", Level.WARN if seen.restricted else Level.INFO)
        first = story.before is None
        met = story.met | {process.pid for process in seen.proved}
        return replace(story, before=seen if first else story.before, now_seen=None if first else seen, met=met)

    async def _call(self, story: Story) -> Story:
        began = self.now()
        command = stop_command(self.target)
        try:
            completed = await self._execute(command)
        except TimeoutError:
            limit = self.policy.command_timeout
            self.journal.say(f"No answer within {limit:g} s; the command may go on on the host.", Level.WARN)
            return self._called(story, Call(NoAnswer(limit), began, self.now()))
        self._journal_output(completed)
        return self._called(story, Call(read_answer(completed), began, self.now()))

    @staticmethod
    def _called(story: Story, call: Call) -> Story:
        return replace(story, calls=(*story.calls, call), now_seen=None)

    async def _signal(self, step: Signal, story: Story) -> Story:
        command = signal_command(self.target, step.signal, step.processes)
        completed = await self._script(command, "signalling the agent's processes")
        delivery = self._understood(completed, read_signal)
        self.journal.say(f"{step.signal}: {delivery}.")
        sent = Sent(step.signal, step.processes, delivery, self.now())
        return replace(story, sent=(*story.sent, sent), now_seen=None)

    async def _script(self, command: Command, doing: str) -> Completed:
        try:
            return await self._execute(command)
        except TimeoutError:
            raise _EndsHereError(TimedOut(doing, self.policy.command_timeout)) from None

    async def _execute(self, command: Command) -> Completed:
        await self.stands()
        self.journal.command(command)
        return await self.session.run(command, timeout=self.policy.command_timeout)

    def _understood(self, completed: Completed, read: Callable[[Completed], T]) -> T:
        """Read what a script of ours said. Its output goes to the journal only where it says more than was read."""
        try:
            said = read(completed)
        except UnreadableAnswerError as error:
            self._journal_output(completed)
            refusal = refused_by_sudo(completed)
            raise _EndsHereError(NoPermission(refusal) if refusal else UnexpectedAnswer(str(error))) from error
        if completed.stderr:
            self.journal.say(f"stderr: {clip(completed.stderr)}", Level.WARN)
        return said

    def _journal_output(self, completed: Completed) -> None:
        self.journal.output(
            exit_status=completed.exit_status,
            signal=completed.signal,
            stdout=completed.stdout,
            stderr=completed.stderr,
        )
