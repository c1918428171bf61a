"""Free ports for servers that start a moment later: nobody else may get them in between.

A port that the kernel may give to an outgoing connection can be taken at any moment, so ours come from below that
range; and a name in the abstract socket namespace, held until this process ends, keeps other users of this module out.
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
_held: Final[list[socket.socket]] = []
"""What keeps our ports ours, until this process ends."""


class NoFreePortError(Exception):
    """Every port that was tried is taken."""


@atexit.register
def _let_go() -> None:
    for name in _held:
        name.close()


def free_port(preferred: int = 0, addresses: Sequence[str] = ("127.0.0.1",)) -> int:
    """Return a port that is free on all of the addresses, the preferred one where it is.

    Raises:
        NoFreePortError: none was found.
    """
    below = int(_RANGE_FILE.read_text().split()[0]) if _RANGE_FILE.exists() else 32_768
    highest = below if below > _LOWEST + _TRIES else 65_535
    for port in (preferred, *(random.randrange(_LOWEST, highest) for _ in range(_TRIES))):  # noqa: S311 - no secret
        if port and _taken_by_us(port) and all(_free(address, port) for address in addresses):
            return port
    raise NoFreePortError(f"no free port was found on {', '.join(addresses)}")


def _taken_by_us(port: int) -> bool:
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind(f"\0ocpfleet-port-{port}")
    except OSError:
        name.close()
        return False
    _held.append(name)
    return True


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
