"""Commands on this machine: for a worker that manages its own host, and for tests."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.command import Command
from core.host import Target
from workers.executor.base import Completed
from workers.executor.output import Output

_PIECE = 64 * 1024


class LocalSession:
    """This machine as a host; see `workers.executor.base.Session`."""

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Run one command through a shell, as an sshd would, in a process group of its own.

        Raises:
            TimeoutError: the limit ran out; the group was killed.
        """
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command.rendered(), stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(timeout):
                return await _finished(process)
        except BaseException:
            await _kill(process)
            raise


class LocalExecutor:
    """Runs every host's commands on this machine, as this user; a target's address, user and key do not matter."""

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[LocalSession]:  # noqa: ARG002 - the protocol's
        """Give the session; nothing is opened, so nothing can fail."""
        yield LocalSession()

    async def aclose(self) -> None:
        """Nothing is held."""


async def _finished(process: Process) -> Completed:
    stdout, stderr, status = await asyncio.gather(_read(process.stdout), _read(process.stderr), process.wait())
    if status < 0:
        return Completed(None, signal.Signals(-status).name.removeprefix("SIG"), stdout, stderr)
    return Completed(status, None, stdout, stderr)


async def _read(stream: asyncio.StreamReader | None) -> str:
    output = Output()
    while stream is not None and (piece := await stream.read(_PIECE)):
        output.feed(piece)
    return output.text()


async def _kill(process: Process) -> None:
    """Kill the command and what it started, and reap it. Its pipes may be held by others, so they are just closed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    transport = getattr(process, "_transport", None)  # asyncio has no public way to let go of the pipes
    if transport is not None:
        transport.close()
