"""A load balancer in front of several APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence


class Balancer(httpx.BaseTransport):
    """Sends requests to one server until it accepts no connection, and then to the next one.

    It repeats a request only if it was never sent. Like any load balancer, it passes on the error if a server goes away
    during a request.

    Args:
        addresses: the addresses of all servers; the first one is used first.
        transport: sends the requests.
    """

    def __init__(self, addresses: Sequence[str], transport: httpx.BaseTransport) -> None:
        self._addresses = [httpx.URL(address) for address in addresses]
        self._transport = transport

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in self._addresses[1:]:
            try:
                return self._send(request)
            except httpx.ConnectError:
                self._addresses.append(self._addresses.pop(0))
        return self._send(request)

    def _send(self, request: httpx.Request) -> httpx.Response:
        address = self._addresses[0]
        request.url = request.url.copy_with(scheme=address.scheme, host=address.host, port=address.port)
        return self._transport.handle_request(request)

    @override
    def close(self) -> None:
        self._transport.close()
