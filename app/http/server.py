"""How the API listens: a socket bound before anything else starts, and uvicorn on top of it."""

import asyncio
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from core.errors import Misconfigured

_BACKLOG: Final = 2048
_MARGIN: Final = 5
"""Seconds after the grace for requests that were broken off to say so, and for the last bytes to be read."""
_NOWHERE: Final = ("192.0.2.1", 9)
"""An address of nobody (RFC 5737): nothing is sent, the system only says which way it would go."""

log = structlog.get_logger("ocpfleet.api")


@contextmanager
def bound_socket(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on an address; port 0 takes a free one.

    Raises:
        Misconfigured: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
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
    """uvicorn, which tells where it listens once it does, and ends quietly.

    Args:
        app: what answers.
        on_stop: called when it begins to stop, before it waits for the requests under way: those that would last for as
            long as a task does must end.
        grace: seconds that requests under way are given to be answered; then they are broken off.
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
        """Serve on a socket until a signal says stop."""
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
        """End what was not answered within the grace, while there is still time for it to tell its client."""
        await asyncio.sleep(self._grace)
        for request in tuple(self.server_state.tasks):
            request.cancel()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            address, port, *_ = listener.getsockname()
            log.info("listening", address=address, port=port)


def local_address() -> str:
    """Return the address by which other machines most likely know this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
