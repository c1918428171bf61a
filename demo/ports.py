"""Reserves free ports for servers that start a moment later.

The kernel may give a port of its local range to an outgoing connection at any moment, so the ports come from below that
range. A name in the abstract socket namespace, held until this process ends, keeps other users of this module away.
"""

import atexit
import random
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_TRIES: Final = 200
_names: Final[list[socket.socket]] = []
"""The sockets that hold the names of our ports until this process ends."""


class NoFreePortError(Exception):
    """All ports that were tried are in use."""


@atexit.register
def _release_names() -> None:
    for name in _names:
        name.close()


def reserve_port(preferred: int = 0, addresses: Sequence[str] = ("127.0.0.1",)) -> int:
    """Reserve a port that is free on all addresses: the preferred one if possible, otherwise any.

    Raises:
        NoFreePortError: no free port was found.
    """
    below = int(_RANGE_FILE.read_text().split()[0]) if _RANGE_FILE.exists() else 32_768
    highest = below if below > _LOWEST + _TRIES else 65_535
    draws = random.SystemRandom()
    for port in (preferred, *(draws.randrange(_LOWEST, highest) for _ in range(_TRIES))):
        if port and _hold_name(port) and all(_is_free(address, port) for address in addresses):
            return port
    raise NoFreePortError(f"no free port was found on {', '.join(addresses)}")


def _hold_name(port: int) -> bool:
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind(f"\0ocpfleet-port-{port}")
    except OSError:
        name.close()
        return False
    _names.append(name)
    return True


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
