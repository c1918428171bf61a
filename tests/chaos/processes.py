"""The processes of a run and their open connections, read from /proc."""

from __future__ import annotations

import os
import socket
from collections import Counter
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from demo.processes import scan
from tests.chaos.hosts import FIRST
from tests.chaos.observations import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARK = "CHAOS_RUN"
"""A variable that all processes of a run inherit; its value is unique to the run."""
_HOSTS = ip_network(f"{FIRST}/16", strict=False)
_OPEN = {"01", "08"}
"""States of a connection that its owner has not closed: established, and closed only by the other side."""
_PROC = Path("/proc")


def list_run_processes(run: str) -> Iterator[int]:
    """Yield the ids of all live processes of a run, without this process."""
    mark = os.fsencode(f"{MARK}={run}")
    for process in scan():
        try:
            environment = (_PROC / str(process.pid) / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or belongs to another user
        if process.pid != os.getpid() and mark in environment.split(b"\0"):
            yield process.pid


def describe_process(pid: int, name: str) -> Process:
    """Return a process with the number of its open connections.

    Args:
        pid: its process id.
        name: its name in the system; "" if it is unknown.
    """
    to_hosts = Counter(peer in _HOSTS for peer in _list_peers(pid))
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = "gone"
    return Process(name, pid, command, to_hosts[True], to_hosts[False])


def _list_peers(pid: int) -> Iterator[IPv4Address]:
    """Yield the other end of each connection of a process, including accepted ones."""
    open_now = _read_connections()
    try:
        links = [_read_link(entry) for entry in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:
        return
    for link in links:
        if link.startswith("socket:[") and (peer := open_now.get(link[8:-1])):
            yield peer


def _read_connections() -> Mapping[str, IPv4Address]:
    """Return the other end of each open connection of this machine, by its inode number."""
    rows = (line.split() for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:])
    return {row[9]: _parse_address(row[2]) for row in rows if row[3] in _OPEN}


def _parse_address(text: str) -> IPv4Address:
    """Parse an address with a port in the kernel's format: "0100007F:1F90" is 127.0.0.1:8080."""
    return IPv4Address(socket.ntohl(int(text.split(":", maxsplit=1)[0], 16)))


def _read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
