"""Runs commands on this machine: for a worker that manages its own host, and for tests.

The standard library starts the processes and not the event loop: uvloop lets a child inherit copies of its pipes, and
a daemon that the child leaves behind would hold them open for as long as it lives.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from core.command import Command
from core.host import Target
from workers.executor.base import CommandTimeoutError, Completed
from workers.executor.bounded_output import BoundedOutput

_READ_SIZE = 64 * 1024


class LocalSession:
    """This machine as a host; see `workers.executor.base.HostSession`."""

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command through a shell, as an sshd would, in a process group of its own.

        Raises:
            CommandTimeoutError: the time is over; the group was killed.
        """
        process = _start(command)
        stdout, stderr = BoundedOutput(), BoundedOutput()
        try:
            async with asyncio.timeout(timeout):
                pipes = (_read(process.stdout, stdout), _read(process.stderr, stderr))
                await asyncio.gather(*pipes, _wait_for_end(process.pid))
        except BaseException as error:
            await _kill(process.pid)
            if isinstance(error, TimeoutError):
                raise CommandTimeoutError(Completed(None, None, stdout.text(), stderr.text())) from None
            raise
        finally:
            status = process.wait()  # it has ended
        if status < 0:
            return Completed(None, signal.Signals(-status).name.removeprefix("SIG"), stdout.text(), stderr.text())
        return Completed(status, None, stdout.text(), stderr.text())


class LocalExecutor:
    """Runs every host's commands on this machine, as this user; a target's address, user and key do not matter."""

    @asynccontextmanager
    async def connect(self, _target: Target) -> AsyncIterator[LocalSession]:
        """Return a session; nothing is opened, so nothing can fail."""
        yield LocalSession()

    async def aclose(self) -> None:
        """Do nothing: nothing is held open."""


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", command.render()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


async def _read(pipe: IO[bytes] | None, output: BoundedOutput) -> None:
    """Read a pipe until the last process that holds it ends, then close it; close it when cancelled too."""
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), pipe
    )
    try:
        while piece := await stream.read(_READ_SIZE):
            output.feed(piece)
    finally:
        transport.close()


async def _wait_for_end(pid: int) -> None:
    """Wait until a child has ended. It is not reaped here, so no other process can get its pid."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    handle = os.pidfd_open(pid)
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def _kill(pid: int) -> None:
    """Kill a child that is not reaped yet, with its whole process group, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    await _wait_for_end(pid)
