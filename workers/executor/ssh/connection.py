"""How a connection is established and closed, each within its time limit."""

import asyncio

import asyncssh

from workers.executor.base import HostConnectionError
from workers.executor.ssh.attempt import ConnectionAttempt
from workers.executor.ssh.failures import to_outcome


async def establish(connection: asyncssh.SSHClientConnection, attempt: ConnectionAttempt) -> None:
    """Connect, exchange keys and, where the connection waits for it, log in.

    Raises:
        HostConnectionError: it failed, or took too long.
    """
    target = attempt.target
    try:
        async with attempt.timeout:
            await attempt.loop.create_connection(lambda: connection, target.address, target.port)
            await attempt.waiter
    except (asyncssh.Error, OSError, ValueError) as error:
        raise HostConnectionError(to_outcome(error, attempt)) from error


async def close(connection: asyncssh.SSHClientConnection, limit: float) -> None:
    """Close a connection politely; cut it after `limit` seconds."""
    connection.close()
    try:
        async with asyncio.timeout(limit):
            await connection.wait_closed()
    except TimeoutError:
        pass
    finally:
        connection.abort()
