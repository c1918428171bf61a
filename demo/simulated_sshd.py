"""The SSH server of a simulated host. It runs each command as a local process, as sshd does without a tty."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh
from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 65536  # bytes


@dataclass(slots=True)
class SimulatedSshd:
    """An SSH server on one address, with a host key of its own.

    Attributes:
        address: The loopback address that it listens on.
        user: The only user name that it accepts. Commands run as the user of this process.
        authorized_key: The only client key that it accepts, as an OpenSSH public key line.
        directory: The working directory of commands.
        home: The value of HOME for commands.
        port: The port; 0 until it listens.
    """

    address: str
    user: str
    authorized_key: str
    directory: Path
    home: Path
    port: int = 0
    _key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    _acceptor: asyncssh.SSHAcceptor | None = None
    _connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    _children: set[asyncio.subprocess.Process] = field(default_factory=set)

    @property
    def host_key(self) -> str:
        """Its public host key: "ssh-ed25519 AAAA…", without a comment."""
        return " ".join(self._key.export_public_key().decode().split()[:2])

    async def start(self, port: int = 0) -> None:
        """Listen.

        Args:
            port: The port; 0 for any free port.

        Raises:
            OSError: The address or the port is not available.
        """
        client_key = asyncssh.import_public_key(self.authorized_key)
        self._acceptor = await asyncssh.listen(
            self.address,
            port,
            server_factory=lambda: _Doorkeeper(self.user, client_key, self._connections),
            process_factory=self._run,
            server_host_keys=[self._key],
            encoding=None,
            allow_pty=False,
            agent_forwarding=False,
            gss_host=None,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Stop listening, close all connections, and kill running commands with all processes of their sessions."""
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
        for connection in list(self._connections):
            connection.abort()
        children = list(self._children)
        for child in children:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for child in children:
            await child.wait()

    async def _run(self, session: asyncssh.SSHServerProcess[bytes]) -> None:
        if session.command is None:
            session.stderr.write(b"This host runs single commands only.\n")
            session.exit(1)
            return
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            session.command,
            cwd=self.directory,
            env=self._environment(session),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._children.add(child)
        try:
            await _connect(session, child)
            code = await child.wait()
        finally:
            self._children.discard(child)
        with suppress(OSError, asyncssh.Error):  # the client may have gone away
            _send_exit(session, code)

    def _environment(self, session: asyncssh.SSHServerProcess[bytes]) -> dict[str, str]:
        client = session.get_extra_info("peername")
        return {
            "HOME": str(self.home),
            "LOGNAME": self.user,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/sh",
            "SSH_CLIENT": f"{client[0]} {client[1]} {self.port}",
            "USER": self.user,
        }


class ByKey(asyncssh.SSHServer):
    """Accepts public keys only; a subclass says which ones in `validate_public_key`."""

    @override
    def begin_auth(self, username: str) -> bool:
        return True

    @override
    def public_key_auth_supported(self) -> bool:
        return True


class _Doorkeeper(ByKey):
    """Accepts one user with one key, and maintains the set of open connections."""

    def __init__(self, user: str, key: asyncssh.SSHKey, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._user = user
        self._key = key
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connections.discard(self._connection)

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._user and key.public_data == self._key.public_data


async def _connect(session: asyncssh.SSHServerProcess[bytes], child: asyncio.subprocess.Process) -> None:
    """Forward data in both directions until the command has closed both of its outputs."""
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise RuntimeError("the command was started without pipes")
    feeding = asyncio.create_task(_feed(session.stdin, child.stdin))
    try:
        await asyncio.gather(_drain(child.stdout, session.stdout), _drain(child.stderr, session.stderr))
    finally:
        feeding.cancel()
        child.stdin.close()


async def _feed(source: asyncssh.SSHReader[bytes], target: asyncio.StreamWriter) -> None:
    """Forward the client's input. If the client goes away, its input ends, but not the command."""
    with suppress(OSError, asyncssh.Error):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    target.close()


async def _drain(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    """Forward an output. If the client goes away, the output is still read, so that the command can end."""
    listening = True
    while data := await source.read(_CHUNK):
        if not listening:
            continue
        try:
            target.write(data)
            await target.drain()
        except (OSError, asyncssh.Error):
            listening = False


def _send_exit(session: asyncssh.SSHServerProcess[bytes], code: int) -> None:
    if code >= 0:
        session.exit(code)
    else:
        session.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
