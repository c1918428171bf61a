"""A client that signs as OCP's description says, written from it alone and sharing nothing with the server."""

import base64
import hashlib
import hmac
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import httpx
from typing_extensions import override


@dataclass
class Signing(httpx.Auth):
    """Signs each request of an httpx client when it is sent."""

    requires_request_body = True

    key_id: str
    secret: str
    now: int
    """Milliseconds since the epoch: what the client's clock says."""

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        seconds = datetime.fromtimestamp(self.now // 1000, tz=UTC)
        request.headers.setdefault("Date", seconds.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        request.headers["Authorization"] = f"OCP-ACCESS-KEY-HMACSHA1 {self.key_id}:{self.sign(request)}"
        yield request

    def sign(self, request: httpx.Request) -> str:
        """Return a request's signature; it must have its Date."""
        body = request.content
        own = sorted((name.lower(), value) for name, value in request.headers.items() if name.startswith("x-ocp-"))
        path, _, query = request.url.raw_path.decode().partition("?")
        message = "\n".join(
            [
                request.method,
                hashlib.md5(body).hexdigest().upper() if body else "",  # noqa: S324 - OCP's
                request.headers.get("Content-Type", ""),
                request.headers["Date"],
                request.headers["Host"],
                "\n".join(f"{name}:{value}" for name, value in own),
                path + _in_order(query),
            ]
        )
        return base64.b64encode(hmac.new(self.secret.encode(), message.encode(), "sha1").digest()).decode()


def _in_order(query: str) -> str:
    """Return a query with its keys ascending, and each key's values ascending and joined by commas."""
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(key, []).append(value)
    pairs = (f"{_quoted(key)}={','.join(map(_quoted, sorted(values[key])))}" for key in sorted(values))
    return "?" + "&".join(pairs) if values else ""


def _quoted(text: str) -> str:
    return quote(text, safe="")
