"""One attempt to log in to a host: what is being done, how long that may take, and which key the host must show."""

import asyncio
from dataclasses import dataclass

import asyncssh
from typing_extensions import override

from core.host import Target
from workers.executor.ssh.host_keys import PinnedKey


@dataclass(frozen=True, slots=True)
class PhaseTimeouts:
    """Seconds that each phase may take."""

    connect: float
    """The TCP connection and the key exchange."""
    login: float
    """The login, which begins with the host key."""


class ConnectionAttempt(asyncssh.SSHClient):
    """asyncssh's callbacks for one connection. They tell the phases apart and check the host key.

    Args:
        target: the host.
        pinned: the key that it must show; None to accept whichever it shows first.
        timeouts: for the phases.
    """

    def __init__(self, target: Target, pinned: PinnedKey | None, timeouts: PhaseTimeouts) -> None:
        self.target = target
        self.pinned = pinned
        self.loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[None] = self.loop.create_future()
        self.timeout = asyncio.timeout(timeouts.connect)
        self.activity = f"connecting to {target.endpoint}"
        self.seconds = timeouts.connect
        self.shown: asyncssh.SSHKey | None = None
        self._timeouts = timeouts

    @override
    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.activity = f"exchanging keys with {self.target.endpoint}"

    @override
    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        if self.shown is None:
            self.shown = key
            self._begin_login()
        # Keys are exchanged again on long connections; the host must then show the same key.
        expected = self.pinned.data if self.pinned else self.shown.public_data
        return bool(key.public_data == expected)

    def _begin_login(self) -> None:
        self.activity = f"logging in to {self.target.endpoint} as {self.target.user}"
        self.seconds = self._timeouts.login
        self.timeout.reschedule(self.loop.time() + self.seconds)
