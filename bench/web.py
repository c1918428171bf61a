"""The benchmark's HTTP client: one kept connection and as little of its own as possible, so that the server shows."""

import http.client
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

_OK = 200
_KEPT = 3.0
"""Seconds after which a connection is not used any more; the server closes it after five."""


class RefusedError(Exception):
    """The API did not do what it was asked to; the sentence has its answer."""


class Api:
    """The API on a port of loopback, asked by its first administrator.

    Args:
        port: where it listens.
        password: the administrator's.
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
        """Return the body of a reply. The connection is a new one where it may have been closed.

        Raises:
            RefusedError: it was not 200.
        """
        self._connect()
        return self._ask("GET", path, None)

    def stop_agents(self, host_ids: Sequence[int]) -> tuple[bytes, float]:
        """Ask for a batch stop; return the reply, and the seconds until it was read to its end."""
        body = json.dumps({"hostIds": list(host_ids)}).encode()
        self._connect()
        began = time.perf_counter()
        reply = self._ask("POST", "/api/v2/compute/hosts/batchStopAgents", body)
        return reply, time.perf_counter() - began

    def timed_stop(self, host_ids: Sequence[int]) -> float:
        """Return the seconds that the acceptance of a batch stop took."""
        return self.stop_agents(host_ids)[1]

    def timed_get(self, path: str) -> float:
        """Return the seconds that a reply took, read to its end."""
        self._connect()
        began = time.perf_counter()
        self.get(path)
        return time.perf_counter() - began

    def _connect(self) -> None:
        """Connect anew where the server may have closed the connection, since nothing was asked for long."""
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


def task_of(reply: bytes) -> dict[str, Any]:
    """Return the task that a reply shows."""
    data: dict[str, Any] = json.loads(reply)["data"]
    return data
