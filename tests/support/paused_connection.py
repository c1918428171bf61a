"""Requests that are stopped halfway: sent up to their body, or answered up to what the client cares to read."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.system import Json

_SMALL = 4096
"""Bytes that a client takes which does not read; the rest waits with the server."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came until the server closed the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body, which is as long as announced, as a document."""
        assert len(self.body) == int(self.headers["content-length"])
        document: Json = orjson.loads(self.body)
        return document

    @classmethod
    def taken_apart(cls, received: bytes) -> Self:
        """Return the reply that a connection brought."""
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return cls(int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body)


class PausedConnection:
    """One connection to an API, of the user with this name and password.

    Args:
        api: its address.
        user: the name.
        password: the password.
    """

    def __init__(self, api: str, user: str, password: str) -> None:
        place = urlsplit(api)
        self._place = (place.hostname or "", place.port or 0)
        self._secret = b64encode(f"{user}:{password}".encode()).decode()

    async def __aenter__(self) -> Self:
        """Connect."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self._place)
        self._reader, self._writer = await asyncio.open_connection(sock=connection, limit=_SMALL)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        self._writer.close()

    async def begin(self, path: str, body: bytes) -> None:
        """Send a POST up to its body; returns when the server has it in hand and asks for the body."""
        headers = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue")
        self._head("POST", path, *headers)
        interim = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 30)
        assert interim.startswith(b"HTTP/1.1 100 "), interim

    async def begin_reading(self, path: str) -> None:
        """Send a GET and read the first line of the reply, no more."""
        self._head("GET", path)
        first = await asyncio.wait_for(self._reader.readline(), 30)
        assert first.startswith(b"HTTP/1.1 200 "), first

    async def finish(self, body: bytes = b"") -> Reply:
        """Send a body and read the reply until the server closes the connection."""
        self._writer.write(body)
        return Reply.taken_apart(await asyncio.wait_for(self._reader.read(-1), 60))

    def _head(self, method: str, path: str, *headers: str) -> None:
        lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Basic {self._secret}", *headers, "", "")
        self._writer.write("\r\n".join(lines).encode())
