"""What stands before several APIs: a request goes to one that takes connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence


class Balancer(httpx.BaseTransport):
    """Sends requests to one server until that takes no connection, and then to the next one.

    Only what was never sent is sent again: a server that goes away with a request leaves its client in the dark, as any
    balancer does.

    Args:
        addresses: of all servers, the first one to be asked before the others.
        transport: sends what is sent.
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
