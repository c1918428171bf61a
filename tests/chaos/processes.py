"""The processes that belong to a run, and the connections that each has open, read from /proc."""

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
"""A variable that everything we start inherits, and whatever that starts; its value is the run's own."""
_HOSTS = ip_network(f"{FIRST}/16", strict=False)
_OPEN = {"01", "08"}
"""States of a connection that its owner has not closed: established, and closed by the other side alone."""
_PROC = Path("/proc")


def marked(run: str) -> Iterator[int]:
    """Yield the numbers of all live processes that belong to a run, but for this one."""
    mark = os.fsencode(f"{MARK}={run}")
    for process in scan():
        try:
            environment = (_PROC / str(process.pid) / "environ").read_bytes()
        except OSError:
            continue  # it is gone, or another user's
        if process.pid != os.getpid() and mark in environment.split(b"\0"):
            yield process.pid


def described(pid: int, name: str) -> Process:
    """Return what a process is, and how many connections it has open.

    Args:
        pid: its number.
        name: what we call it; "" where nobody knows it.
    """
    to_hosts = Counter(peer in _HOSTS for peer in _peers(pid))
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = "gone"
    return Process(name, pid, command, to_hosts[True], to_hosts[False])


def _peers(pid: int) -> Iterator[IPv4Address]:
    """Yield the other end of each connection of a process, accepted ones included."""
    open_now = _connections()
    try:
        links = [_link(entry) for entry in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:
        return
    for link in links:
        if link.startswith("socket:[") and (peer := open_now.get(link[8:-1])):
            yield peer


def _connections() -> Mapping[str, IPv4Address]:
    """Return the other end of each open connection of this machine, by its inode."""
    rows = (line.split() for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:])
    return {row[9]: _address(row[2]) for row in rows if row[3] in _OPEN}


def _address(text: str) -> IPv4Address:
    """Read an address with its port as the kernel writes them: "0100007F:1F90" is 127.0.0.1:8080."""
    return IPv4Address(socket.ntohl(int(text.split(":", maxsplit=1)[0], 16)))


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
