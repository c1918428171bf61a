"""Runs the commands of one run on its host and reads their outputs; everything goes into the run's journal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from core.command import Command
from core.journal import Journal, Level, clip
from core.outcome.agentctl import NoPermission, UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from workers.agent.host.agentctl_reply import find_sudo_refusal
from workers.agent.host.output import StopResult, UnreadableOutputError, has_called_stop, read_stop
from workers.executor.base import CommandNotSentError, CommandTimeoutError, Completed, HostSession

LOOKING: Final = "looking at the agent's processes"
"""What a look does, as an outcome says it."""

T = TypeVar("T")


class RunEndedError(Exception):
    """One of our own scripts failed on the host, and without it nothing can be proved; `outcome` says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence())
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class CommandRunner:
    """The commands of one run, over one connection."""

    session: HostSession
    """An open connection to the host."""
    timeout: float
    """Seconds for one command."""
    journal: Journal
    """Gets each command and its output."""
    before_command: Callable[[], Awaitable[None]]
    """Awaited before each command; what it raises is passed on."""

    async def execute(self, command: Command, *, may_touch: bool = False) -> Completed:
        """Run a command; `may_touch` says that it may change the agent.

        Raises:
            CommandTimeoutError: it did not end in time.
            HostConnectionError: the connection was lost.
        """
        while True:
            await self.before_command()
            self.journal.touched |= may_touch
            self.journal.add_command(command)
            try:
                return await self.session.run(command, timeout=self.timeout)
            except CommandNotSentError:
                self.journal.add(
                    "Not sent: the worker process was frozen meanwhile. It checks its claim again.", Level.WARN
                )

    async def run_script(self, command: Command, activity: str, read: Callable[[Completed], T]) -> T:
        """Run one of our scripts and read its output, which the journal gets only where it holds more than was read.

        Raises:
            RunEndedError: the script did not end in time, or its output cannot be read.
        """
        try:
            completed = await self.execute(command)
        except TimeoutError:
            raise RunEndedError(TimedOut(activity, self.timeout)) from None
        result = self._read(completed, read)
        if completed.stderr:
            self.journal.add(f"stderr: {clip(completed.stderr)}", Level.WARN)
        return result

    async def run_stop(self, command: Command, *, touched: bool) -> StopResult:
        """Run the command that looks, stops the agent and looks again.

        Args:
            command: the command.
            touched: whether the run has changed the agent before, or may have. The journal says so anew where the
                command did not get as far as the stop.

        Raises:
            RunEndedError: nothing can be told from its output.
        """
        try:
            completed = await self.execute(command, may_touch=True)
        except CommandTimeoutError as late:
            try:
                return read_stop(late.so_far)
            except UnreadableOutputError:
                raise RunEndedError(TimedOut(LOOKING, self.timeout)) from None
        try:
            return self._read(completed, read_stop)
        except RunEndedError:
            self.journal.touched = touched or has_called_stop(completed)
            raise

    async def call_control(self, command: Command) -> Completed | None:
        """Call the agent's control program; return None where it did not answer in time."""
        try:
            completed = await self.execute(command)
        except TimeoutError:
            completed = None
        self.record_reply(completed)
        return completed

    def record_reply(self, completed: Completed | None) -> None:
        """Put into the journal what the agent's control program answered; None where it did not in time."""
        if completed is None:
            limit = self.timeout
            self.journal.add(f"No answer within {limit:g} s; the command may still run on the host.", Level.WARN)
        else:
            self._record_output(completed)

    def _read(self, completed: Completed, read: Callable[[Completed], T]) -> T:
        try:
            return read(completed)
        except UnreadableOutputError as error:
            self._record_output(completed)
            refusal = find_sudo_refusal(completed)
            raise RunEndedError(NoPermission(refusal) if refusal else UnexpectedAnswer(str(error))) from error

    def _record_output(self, completed: Completed) -> None:
        self.journal.add_output(
            exit_status=completed.exit_status,
            signal=completed.signal,
            stdout=completed.stdout,
            stderr=completed.stderr,
        )
