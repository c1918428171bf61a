"""A connection that pauses: before it sends the body of a request, or before it reads all of the reply."""

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

_BUFFER_SIZE = 4096
"""Bytes that a client takes before it reads; the rest stays with the server."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server sent until it closed the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as a document. It is as long as its header says."""
        assert len(self.body) == int(self.headers["content-length"])
        document: Json = orjson.loads(self.body)
        return document

    @classmethod
    def parse(cls, received: bytes) -> Self:
        """Read a reply."""
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return cls(int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body)


class PausedConnection:
    """One connection to an API.

    Args:
        api: the address of the API.
        user: the name of the user who asks.
        password: the user's password.
    """

    def __init__(self, api: str, user: str, password: str) -> None:
        place = urlsplit(api)
        self._place = (place.hostname or "", place.port or 0)
        self._secret = b64encode(f"{user}:{password}".encode()).decode()

    async def __aenter__(self) -> Self:
        """Connect."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_SIZE)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self._place)
        self._reader, self._writer = await asyncio.open_connection(sock=connection, limit=_BUFFER_SIZE)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        self._writer.close()

    async def begin(self, path: str, body: bytes) -> None:
        """Send the head of a POST and return as soon as the server asks for the body."""
        headers = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue")
        self._send_head("POST", path, *headers)
        interim = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 30)
        assert interim.startswith(b"HTTP/1.1 100 "), interim

    async def begin_reading(self, path: str) -> None:
        """Send a GET and read the first line of the reply, no more than that."""
        self._send_head("GET", path)
        first = await asyncio.wait_for(self._reader.readline(), 30)
        assert first.startswith(b"HTTP/1.1 200 "), first

    async def finish(self, body: bytes = b"") -> Reply:
        """Send a body and read the reply until the server closes the connection."""
        self._writer.write(body)
        return Reply.parse(await asyncio.wait_for(self._reader.read(-1), 60))

    def _send_head(self, method: str, path: str, *headers: str) -> None:
        lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Basic {self._secret}", *headers, "", "")
        self._writer.write("\r\n".join(lines).encode())
