"""Commands on an open SSH connection."""

import asyncio
from collections.abc import Callable

import asyncssh
from typing_extensions import override

from core.command import Command
from core.outcome.agentctl import UnexpectedAnswer
from core.outcome.reach import Unreachable
from workers.executor.base import CommandNotSentError, CommandTimeoutError, Completed, HostConnectionError
from workers.executor.bounded_output import Output


class _Run(asyncssh.SSHClientSession[bytes]):
    """asyncssh's callbacks for one command: they collect what it writes and how it ends."""

    def __init__(self, may_begin: Callable[[], bool]) -> None:
        self._may_begin = may_begin
        self.stdout = Output()
        self.stderr = Output()
        self.status: int | None = None
        self.signal: str | None = None
        self.channel: asyncssh.SSHClientChannel[bytes] | None = None
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel that the host has opened; what this raises keeps the command from being sent."""
        self.channel = chan
        if not self._may_begin():
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

    def completed(self) -> Completed:
        return Completed(self.status, self.signal, self.stdout.text(), self.stderr.text())


class SshSession:
    """An open connection to one host; see `workers.executor.base.HostSession`."""

    def __init__(self, connection: asyncssh.SSHClientConnection, endpoint: str, may_begin: Callable[[], bool]) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._may_begin = may_begin

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command; see `workers.executor.base.HostSession.run`."""
        run = _Run(self._may_begin)
        try:
            async with asyncio.timeout(timeout):
                await self._start(run, command)
                lost = await run.ended
        except TimeoutError:
            raise CommandTimeoutError(run.completed()) from None
        finally:
            if run.channel is not None and not run.ended.done():
                run.channel.abort()
        if lost is not None or (run.status is None and self._connection.is_closed()):
            raise self._lost()
        return run.completed()

    async def _start(self, run: _Run, command: Command) -> None:
        try:
            await self._connection.create_session(lambda: run, command.render(), request_pty=False, encoding=None)
        except asyncssh.ChannelOpenError as error:
            await asyncio.sleep(0)  # a connection that is being cut says that it is closed one turn later
            if self._connection.is_closed():
                raise self._lost() from error
            raise HostConnectionError(
                UnexpectedAnswer(f"{self._endpoint} refuses to run commands ({error.reason})")
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error

    def _lost(self) -> HostConnectionError:
        return HostConnectionError(Unreachable(self._endpoint, "connection lost while running a command"))
