"""Connections to hosts over SSH, by asyncssh: host keys are pinned, private keys opened once, every phase limited.

asyncssh prepares its options anew for each connection, and does so in a thread. Here each connection gets a copy of one
prepared object, and the connection object is ours from the start, so that it can be cut whatever it waits for.
"""

import copy
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncssh

from core.host import Target
from core.outcome.reach import HostKeyNotPinned, HostKeyUnreadable
from workers.executor.base import HostConnectionError
from workers.executor.ssh.attempt import ConnectionAttempt, PhaseTimeouts
from workers.executor.ssh.connection import close, establish
from workers.executor.ssh.host_keys import PinnedKey, format_key, list_signature_algorithms, parse_key
from workers.executor.ssh.options import SshOptions, make_base_options
from workers.executor.ssh.session import SshSession

PinCallback: TypeAlias = Callable[[int, str], Awaitable[None]]
"""Stores the key of a host that was trusted on first use: gets the host's id and its one-line public key."""


class SshExecutor:
    """Connections to hosts over SSH. One per worker process, used on one event loop.

    Args:
        options: how to reach hosts.
        pin: stores the key of a host that was trusted on first use, after the login succeeded.
        may_send: asked immediately before a command is sent.

    Raises:
        ValueError: there is nothing to log in with, or a key is unusable (bad format, wrong passphrase).
        OSError: the file of a key or of the passphrase cannot be read.
    """

    def __init__(self, options: SshOptions, pin: PinCallback, may_send: Callable[[], bool] = lambda: True) -> None:
        self._options = options
        self._pin = pin
        self._may_send = may_send
        self._timeouts = PhaseTimeouts(options.connect_timeout, options.login_timeout)
        self._base = make_base_options(options)
        self._keys = tuple(self._base.client_keys or ())
        # At INFO asyncssh logs every command with its secrets, and to format its lines costs more than a command.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[SshSession]:
        """Open a connection; see `workers.executor.base.Executor.connect`."""
        connection = await self._open(target)
        try:
            yield SshSession(connection, target.endpoint, self._may_send)
        finally:
            await close(connection, self._options.close_timeout)

    async def aclose(self) -> None:
        """Do nothing: nothing outlives a connection."""

    async def _open(self, target: Target) -> asyncssh.SSHClientConnection:
        attempt = ConnectionAttempt(target, self._read_pinned_key(target), self._timeouts)
        connection = asyncssh.SSHClientConnection(attempt.loop, self._make_options(attempt), wait="auth")
        try:
            await establish(connection, attempt)
            if target.host_key is None and attempt.shown is not None:
                await self._pin(target.host_id, format_key(attempt.shown))
        except BaseException:
            connection.abort()
            raise
        return connection

    def _read_pinned_key(self, target: Target) -> PinnedKey | None:
        """Return the key that a host must show; None where it may show any, since it is trusted on first use."""
        if target.host_key is not None:
            try:
                return parse_key(target.host_key)
            except ValueError:
                raise HostConnectionError(HostKeyUnreadable(target.endpoint)) from None
        if not self._options.trust_on_first_use:
            raise HostConnectionError(HostKeyNotPinned(target.endpoint))
        return None

    def _make_options(self, attempt: ConnectionAttempt) -> asyncssh.SSHClientConnectionOptions:
        options = copy.copy(self._base)
        options.protocol_factory = lambda: attempt
        options.waiter = attempt.waiter
        options.host = options.orig_host = attempt.target.address
        options.port = attempt.target.port
        options.username = attempt.target.user
        options.server_host_key_algs = list_signature_algorithms(attempt.pinned and attempt.pinned.algorithm)
        # A key pair remembers the algorithm that its last host wanted, so each connection gets its own.
        options.client_keys = [copy.copy(key) for key in self._keys]
        return options
