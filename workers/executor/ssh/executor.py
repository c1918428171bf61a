"""Hosts over SSH, by asyncssh: pinned host keys, keys opened once per process, every phase bounded.

asyncssh prepares its options anew for each connection and does so in a thread. Here one prepared object is copied
per connection, and the connection object is ours from the start, so that it can be cut whatever it is waiting for.
"""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncssh

from core.host import Target
from core.outcome.reach import HostKeyNotPinned, HostKeyUnreadable
from workers.executor.base import HostConnectionError
from workers.executor.ssh import host_keys
from workers.executor.ssh.attempt import Limits, Visit
from workers.executor.ssh.failures import verdict
from workers.executor.ssh.host_keys import fingerprint
from workers.executor.ssh.options import SshOptions, bare_options, base_options
from workers.executor.ssh.session import SshSession

__all__ = ["PinCallback", "SshExecutor", "SshOptions", "fetch_host_key", "fingerprint"]

PinCallback = Callable[[int, str], Awaitable[None]]
"""Keeps the key of a host that was trusted on first use: gets the host's id and its one-line public key."""


class SshExecutor:
    """Connections to hosts over SSH. One per worker process, used on one event loop.

    Args:
        options: how hosts are reached.
        pin: keeps the key of a host that was trusted on first use, after the login succeeded.
        may_begin: asked in the very moment before a command is sent.

    Raises:
        ValueError: there is nothing to log in with, or a key is unusable (bad format, wrong passphrase).
        OSError: a key's file, or the passphrase's, cannot be read.
    """

    def __init__(self, options: SshOptions, pin: PinCallback, may_begin: Callable[[], bool] = lambda: True) -> None:
        self._options = options
        self._pin = pin
        self._may_begin = may_begin
        self._limits = Limits(options.connect_timeout, options.login_timeout)
        self._base = base_options(options)
        self._keys = tuple(self._base.client_keys or ())
        # At INFO asyncssh logs every command with its secrets, and formatting its lines costs more than a command.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[SshSession]:
        """Open a connection; see `workers.executor.base.Executor.connect`."""
        connection = await self._opened(target)
        try:
            yield SshSession(connection, target.endpoint, self._may_begin)
        finally:
            await _close(connection, self._options.close_timeout)

    async def aclose(self) -> None:
        """Nothing outlives a connection."""

    async def _opened(self, target: Target) -> asyncssh.SSHClientConnection:
        visit = Visit(target, self._pinned(target), self._limits)
        connection = asyncssh.SSHClientConnection(visit.loop, self._options_for(visit), wait="auth")
        try:
            await _establish(connection, visit)
            if target.host_key is None and visit.shown is not None:
                await self._pin(target.host_id, host_keys.line_of(visit.shown))
        except BaseException:
            connection.abort()
            raise
        return connection

    def _pinned(self, target: Target) -> host_keys.PinnedKey | None:
        if target.host_key is not None:
            try:
                return host_keys.parse(target.host_key)
            except ValueError:
                raise HostConnectionError(HostKeyUnreadable(target.endpoint)) from None
        if not self._options.trust_on_first_use:
            raise HostConnectionError(HostKeyNotPinned(target.endpoint))
        return None

    def _options_for(self, visit: Visit) -> asyncssh.SSHClientConnectionOptions:
        options = copy.copy(self._base)
        options.protocol_factory = lambda: visit
        options.waiter = visit.waiter
        options.host = options.orig_host = visit.target.address
        options.port = visit.target.port
        options.username = visit.target.user
        options.server_host_key_algs = host_keys.signature_algorithms(visit.pinned and visit.pinned.algorithm)
        # A key pair remembers the algorithm that its last host wanted, so each connection gets its own.
        options.client_keys = [copy.copy(key) for key in self._keys]
        return options


async def fetch_host_key(address: str, port: int, timeout: float) -> str:
    """Return the public host key that a host shows, as one line, without logging in.

    Args:
        address: the host's IP address.
        port: its sshd's TCP port.
        timeout: seconds for all of it.

    Raises:
        HostConnectionError: unreachable, timed out, or it showed no key.
    """
    target = Target(0, address, port, "", "/", "ocp", sudo=False, host_key=None)
    visit = Visit(target, None, Limits(timeout, timeout))
    options = bare_options()
    options.protocol_factory = lambda: visit
    options.waiter = visit.waiter
    options.host = options.orig_host = address
    options.port = port
    options.server_host_key_algs = host_keys.signature_algorithms(None)
    connection = asyncssh.SSHClientConnection(visit.loop, options, wait="kex")
    try:
        await _establish(connection, visit)
    finally:
        connection.abort()
    if visit.shown is None:
        raise HostConnectionError(HostKeyUnreadable(target.endpoint))
    return host_keys.line_of(visit.shown)


async def _establish(connection: asyncssh.SSHClientConnection, visit: Visit) -> None:
    target = visit.target
    try:
        async with visit.limit:
            await visit.loop.create_connection(lambda: connection, target.address, target.port)
            await visit.waiter
    except (asyncssh.Error, OSError, ValueError) as error:
        raise HostConnectionError(verdict(error, visit)) from error


async def _close(connection: asyncssh.SSHClientConnection, limit: float) -> None:
    connection.close()
    try:
        async with asyncio.timeout(limit):
            await connection.wait_closed()
    except TimeoutError:
        pass
    finally:
        connection.abort()
