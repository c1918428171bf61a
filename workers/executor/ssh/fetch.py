"""Fetches the public key that a host shows, without logging in."""

import asyncssh

from core.host import Target
from core.outcome.reach import HostKeyUnreadable
from workers.executor.base import HostConnectionError
from workers.executor.ssh.attempt import ConnectionAttempt, PhaseTimeouts
from workers.executor.ssh.connection import establish
from workers.executor.ssh.host_keys import format_key, list_signature_algorithms
from workers.executor.ssh.options import make_bare_options


async def fetch_host_key(address: str, port: int, timeout: float) -> str:
    """Return the public key that a host shows, as one line.

    Args:
        address: the host's IP address.
        port: the TCP port of its sshd.
        timeout: seconds for all of it.

    Raises:
        HostConnectionError: the host is unreachable, took too long, or showed no key.
    """
    target = Target(0, address, port, "", "/", "ocp", sudo=False, host_key=None)
    attempt = ConnectionAttempt(target, None, PhaseTimeouts(timeout, timeout))
    options = make_bare_options()
    options.protocol_factory = lambda: attempt
    options.waiter = attempt.waiter
    options.host = options.orig_host = address
    options.port = port
    options.server_host_key_algs = list_signature_algorithms(None)
    connection = asyncssh.SSHClientConnection(attempt.loop, options, wait="kex")
    try:
        await establish(connection, attempt)
    finally:
        connection.abort()
    if attempt.shown is None:
        raise HostConnectionError(HostKeyUnreadable(target.endpoint))
    return format_key(attempt.shown)
