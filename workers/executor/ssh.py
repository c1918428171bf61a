"""Hosts over SSH, by asyncssh: pinned host keys, keys opened once per process, every phase bounded.

asyncssh prepares its options anew for each connection and does so in a thread. Here one prepared object is copied
per connection, and the connection object is ours from the start, so that it can be cut whatever it is waiting for.
"""

import asyncio
import copy
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from core.host import Target
from core.outcome import HostKeyNotPinned, HostKeyUnreadable
from workers.executor import hostkeys
from workers.executor.base import ConnectionFailed
from workers.executor.hostkeys import fingerprint
from workers.executor.ssh_failures import verdict
from workers.executor.ssh_session import SshSession
from workers.executor.ssh_visit import Limits, Visit

__all__ = ["PinCallback", "SshExecutor", "SshOptions", "fetch_host_key", "fingerprint"]

PinCallback = Callable[[int, str], Awaitable[None]]
"""Keeps the key of a host that was trusted on first use: gets the host's id and its one-line public key."""

_KEEPALIVES_MISSED = 3
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How a worker reaches hosts over SSH. Times are in seconds."""

    client_keys: tuple[Path, ...] = ()
    """Private keys to log in with, tried in this order."""
    use_agent: bool = False
    """Also use the keys of the ssh-agent at SSH_AUTH_SOCK."""
    passphrase_file: Path | None = None
    """The file with the passphrase of those keys, where they have one."""
    connect_timeout: float = 10.0
    """For the TCP connection and the key exchange."""
    login_timeout: float = 15.0
    """For the login, from the host key on."""
    close_timeout: float = 2.0
    """For a polite close; then the connection is cut."""
    keepalive: float = 15.0
    """Between two questions whether the host is still there; after three without an answer the connection is lost."""
    trust_on_first_use: bool = False
    """Accept and pin the key of a host that has none pinned, instead of refusing the host."""


class SshExecutor:
    """Connections to hosts over SSH. One per worker process, used on one event loop.

    Args:
        options: how hosts are reached.
        pin: keeps the key of a host that was trusted on first use, after the login succeeded.

    Raises:
        ValueError: there is nothing to log in with, or a key is unusable (bad format, wrong passphrase).
        OSError: a key's file, or the passphrase's, cannot be read.
    """

    def __init__(self, options: SshOptions, pin: PinCallback) -> None:
        self._options = options
        self._pin = pin
        self._limits = Limits(options.connect_timeout, options.login_timeout)
        self._base = _base_options(options)
        self._keys = tuple(self._base.client_keys or ())
        # At INFO asyncssh logs every command with its secrets, and formatting its lines costs more than a command.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[SshSession]:
        """Open a connection; see `workers.executor.base.Executor.connect`."""
        connection = await self._opened(target)
        try:
            yield SshSession(connection, target.endpoint)
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
                await self._pin(target.host_id, hostkeys.line_of(visit.shown))
        except BaseException:
            connection.abort()
            raise
        return connection

    def _pinned(self, target: Target) -> hostkeys.PinnedKey | None:
        if target.host_key is not None:
            try:
                return hostkeys.parse(target.host_key)
            except ValueError:
                raise ConnectionFailed(HostKeyUnreadable(target.endpoint)) from None
        if not self._options.trust_on_first_use:
            raise ConnectionFailed(HostKeyNotPinned(target.endpoint))
        return None

    def _options_for(self, visit: Visit) -> asyncssh.SSHClientConnectionOptions:
        options = copy.copy(self._base)
        options.protocol_factory = lambda: visit
        options.waiter = visit.waiter
        options.host = options.orig_host = visit.target.address
        options.port = visit.target.port
        options.username = visit.target.user
        options.server_host_key_algs = hostkeys.signature_algorithms(visit.pinned and visit.pinned.algorithm)
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
        ConnectionFailed: unreachable, timed out, or it showed no key.
    """
    target = Target(0, address, port, "", "/", "ocp", sudo=False, host_key=None)
    visit = Visit(target, None, Limits(timeout, timeout))
    options = _bare_options()
    options.protocol_factory = lambda: visit
    options.waiter = visit.waiter
    options.host = options.orig_host = address
    options.port = port
    options.server_host_key_algs = hostkeys.signature_algorithms(None)
    connection = asyncssh.SSHClientConnection(visit.loop, options, wait="kex")
    try:
        await _establish(connection, visit)
    finally:
        connection.abort()
    if visit.shown is None:
        raise ConnectionFailed(HostKeyUnreadable(target.endpoint))
    return hostkeys.line_of(visit.shown)


async def _establish(connection: asyncssh.SSHClientConnection, visit: Visit) -> None:
    target = visit.target
    try:
        async with visit.limit:
            await visit.loop.create_connection(lambda: connection, target.address, target.port)
            await visit.waiter
    except (asyncssh.Error, OSError, ValueError) as error:
        raise ConnectionFailed(verdict(error, visit)) from error


async def _close(connection: asyncssh.SSHClientConnection, limit: float) -> None:
    connection.close()
    try:
        async with asyncio.timeout(limit):
            await connection.wait_closed()
    except TimeoutError:
        pass
    finally:
        connection.abort()


def _base_options(options: SshOptions) -> asyncssh.SSHClientConnectionOptions:
    """Open the keys and prepare what all connections share."""
    if not options.client_keys and not options.use_agent:
        raise ValueError("SSH needs a private key or an ssh-agent to log in with")
    passphrase = options.passphrase_file.read_text().rstrip("\r\n") if options.passphrase_file else None
    base = _bare_options(options.keepalive)
    base.client_keys = list(asyncssh.load_keypairs([str(path) for path in options.client_keys], passphrase))
    base.agent_path = os.environ.get("SSH_AUTH_SOCK") if options.use_agent else None
    return base


def _bare_options(keepalive: float = 0.0) -> asyncssh.SSHClientConnectionOptions:
    return asyncssh.SSHClientConnectionOptions(
        config=None,
        known_hosts=([], [], []),  # so that every key is put to the visit, which knows the pinned one
        client_keys=None,
        agent_path=None,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        preferred_auth="publickey",
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        gss_kex=False,
        gss_auth=False,
        compression_algs=None,
        encryption_algs=[*_CIPHERS, "aes256-ctr", "aes192-ctr", "aes128-ctr"],
        login_timeout=0,
        keepalive_interval=keepalive,
        keepalive_count_max=_KEEPALIVES_MISSED,
    )
