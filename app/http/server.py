"""The API's server: a socket that is bound before anything else starts, and uvicorn on it."""

import asyncio
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from core.errors import Misconfigured

_BACKLOG: Final = 2048
_MARGIN: Final = 5
"""Seconds after the grace period, in which broken off requests are answered and the last bytes are read."""
_NOWHERE: Final = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737). Nothing is sent there: the system only says which way it would go."""

log = structlog.get_logger("ocpfleet.api")


@contextmanager
def open_listener(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on an address. Port 0 takes a free port.

    Raises:
        Misconfigured: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if isinstance(ip_address(host), IPv6Address) else socket.AF_INET
    # The protocol is named because asyncio only then sends small pieces of a reply at once (TCP_NODELAY).
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise Misconfigured(
                f"Cannot listen on {host} port {port}: {error.strerror}. "
                "Set OCPFLEET_API_HOST and OCPFLEET_API_PORT to an address of this machine and a free port."
            ) from None
        yield listener


class Server(uvicorn.Server):
    """uvicorn, which logs where it listens and stops quietly.

    Args:
        app: what answers.
        on_stop: called when the server begins to stop, before it waits for open requests. It ends those that would last
            as long as a task.
        grace: seconds that open requests have to be answered. Then they are broken off.
    """

    def __init__(self, app: ASGIApp, on_stop: Callable[[], None] = lambda: None, *, grace: float = 45.0) -> None:
        self._on_stop = on_stop
        self._grace = grace
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=math.ceil(grace) + _MARGIN,
            )
        )

    async def run_on(self, listener: socket.socket) -> None:
        """Serve on a socket until a signal stops the server."""
        # uvicorn raises the signal again when it is done; by then it has had its effect.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        await self.serve(sockets=[listener])

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        breaking_off = asyncio.create_task(self._break_off())
        try:
            await super().shutdown(sockets)
        finally:
            breaking_off.cancel()

    async def _break_off(self) -> None:
        """End requests that were not answered within the grace period, while they can still tell their clients."""
        await asyncio.sleep(self._grace)
        for request in tuple(self.server_state.tasks):
            request.cancel()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            address, port, *_ = listener.getsockname()
            log.info("listening", address=address, port=port)


def find_local_address() -> str:
    """Return the address under which other machines most likely know this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
