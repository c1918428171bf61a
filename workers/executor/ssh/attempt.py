"""One attempt to get into a host: what is being done, how long that may take, and which key the host must show."""

import asyncio
from dataclasses import dataclass

import asyncssh
from typing_extensions import override

from core.host import Target
from workers.executor.ssh.host_keys import PinnedKey


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that each phase may take."""

    connect: float
    """The TCP connection and the key exchange."""
    login: float
    """The login, from the host key on."""


class Visit(asyncssh.SSHClient):
    """asyncssh's callbacks for one connection. They tell the phases apart and judge the host key.

    Args:
        target: the host.
        pinned: the key that it must show; None to accept whichever it shows first.
        limits: for the phases.
    """

    def __init__(self, target: Target, pinned: PinnedKey | None, limits: Limits) -> None:
        self.target = target
        self.pinned = pinned
        self.loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[None] = self.loop.create_future()
        self.limit = asyncio.timeout(limits.connect)
        self.doing = f"connecting to {target.endpoint}"
        self.seconds = limits.connect
        self.shown: asyncssh.SSHKey | None = None
        self._limits = limits

    @override
    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.doing = f"exchanging keys with {self.target.endpoint}"

    @override
    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        if self.shown is None:
            self.shown = key
            self._begin_login()
        # Keys are exchanged again on long connections; the host must then show the same key.
        expected = self.pinned.data if self.pinned else self.shown.public_data
        return bool(key.public_data == expected)

    def _begin_login(self) -> None:
        self.doing = f"logging in to {self.target.endpoint} as {self.target.user}"
        self.seconds = self._limits.login
        self.limit.reschedule(self.loop.time() + self.seconds)
