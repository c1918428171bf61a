"""The benchmark's HTTP client: one connection and little work, so that the figures show the server's cost."""

import http.client
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

_OK = 200
_KEPT = 3.0
"""Seconds without a request after which a new connection is opened; the server closes idle ones after five."""


class RefusedError(Exception):
    """The API refused a request, or a task failed; the message says more."""


class Api:
    """A client of the API on a loopback port, with the credentials of its first administrator.

    Args:
        port: the API's port.
        password: the administrator's password.
    """

    def __init__(self, port: int, password: str) -> None:
        self._asked = float("-inf")
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        credentials = b64encode(f"admin:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> bytes:
        """Return the body of a reply.

        Raises:
            RefusedError: the reply is not 200.
        """
        self._connect()
        return self._ask("GET", path, None)

    def stop_agents(self, host_ids: Sequence[int]) -> tuple[bytes, float]:
        """Request a batch stop; return the reply, and the seconds until it was read to its end."""
        body = json.dumps({"hostIds": list(host_ids)}).encode()
        self._connect()
        began = time.perf_counter()
        reply = self._ask("POST", "/api/v2/compute/hosts/batchStopAgents", body)
        return reply, time.perf_counter() - began

    def time_stop(self, host_ids: Sequence[int]) -> float:
        """Request a batch stop; return the seconds until the reply was read to its end."""
        return self.stop_agents(host_ids)[1]

    def time_get(self, path: str) -> float:
        """Return the seconds until a reply was read to its end."""
        self._connect()
        began = time.perf_counter()
        self.get(path)
        return time.perf_counter() - began

    def _connect(self) -> None:
        """Open a new connection if the old one was idle so long that the server may have closed it."""
        now = time.monotonic()
        if now - self._asked > _KEPT:
            self._connection.close()
            self._connection.connect()
        self._asked = now

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        self._connection.request(method, path, body, self._headers)
        reply = self._connection.getresponse()
        content = reply.read()
        if reply.status != _OK:
            raise RefusedError(f"{method} {path} was answered with {reply.status}: {content[:300]!r}")
        return content


def read_task(reply: bytes) -> dict[str, Any]:
    """Return the task in a reply."""
    data: dict[str, Any] = json.loads(reply)["data"]
    return data
