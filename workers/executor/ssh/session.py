"""Commands on an open SSH connection."""

import asyncio
from collections.abc import Callable

import asyncssh
from typing_extensions import override

from core.command import Command
from core.outcome.agentctl import UnexpectedAnswer
from core.outcome.reach import Unreachable
from workers.executor.base import CommandNotSentError, CommandTimeoutError, Completed, HostConnectionError
from workers.executor.bounded_output import BoundedOutput


class _CommandChannel(asyncssh.SSHClientSession[bytes]):
    """asyncssh's callbacks for one command. They collect what it writes and how it ends."""

    def __init__(self, may_send: Callable[[], bool]) -> None:
        self._may_send = may_send
        self.stdout = BoundedOutput()
        self.stderr = BoundedOutput()
        self.status: int | None = None
        self.signal: str | None = None
        self.channel: asyncssh.SSHClientChannel[bytes] | None = None
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel that the host has opened. An error raised here keeps the command from being sent."""
        self.channel = chan
        if not self._may_send():
            raise CommandNotSentError

    @override
    def data_received(self, data: bytes, datatype: int | None) -> None:
        (self.stdout if datatype is None else self.stderr).feed(data)

    @override
    def exit_status_received(self, status: int) -> None:
        self.status = status

    @override
    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.signal = signal

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(exc)

    def to_completed(self) -> Completed:
        return Completed(self.status, self.signal, self.stdout.text(), self.stderr.text())


class SshSession:
    """An open connection to one host; see `workers.executor.base.HostSession`."""

    def __init__(self, connection: asyncssh.SSHClientConnection, endpoint: str, may_send: Callable[[], bool]) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._may_send = may_send

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command; see `workers.executor.base.HostSession.run`."""
        run = _CommandChannel(self._may_send)
        try:
            async with asyncio.timeout(timeout):
                await self._start(run, command)
                lost = await run.ended
        except TimeoutError:
            raise CommandTimeoutError(run.to_completed()) from None
        finally:
            if run.channel is not None and not run.ended.done():
                run.channel.abort()
        if lost is not None or (run.status is None and self._connection.is_closed()):
            raise self._make_lost_error()
        return run.to_completed()

    async def _start(self, run: _CommandChannel, command: Command) -> None:
        try:
            await self._connection.create_session(lambda: run, command.render(), request_pty=False, encoding=None)
        except asyncssh.ChannelOpenError as error:
            await asyncio.sleep(0)  # a connection that is being cut says so one turn of the loop later
            if self._connection.is_closed():
                raise self._make_lost_error() from error
            raise HostConnectionError(
                UnexpectedAnswer(f"{self._endpoint} refuses to run commands ({error.reason})")
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise self._make_lost_error() from error

    def _make_lost_error(self) -> HostConnectionError:
        return HostConnectionError(Unreachable(self._endpoint, "connection lost while running a command"))
