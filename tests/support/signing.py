"""A client that signs as OCP's description says, written from it alone and sharing nothing with the server."""

import base64
import hashlib
import hmac
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from typing_extensions import override

from app.auth.vault import Vault
from core.access_key import AccessKey, new_pair
from infra.store.base import Store


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
        path, question, query = request.url.raw_path.decode().partition("?")
        message = "\n".join(
            [
                request.method,
                hashlib.md5(body).hexdigest().upper() if body else "",  # noqa: S324 - OCP's
                request.headers.get("Content-Type", ""),
                request.headers["Date"],
                request.headers["Host"],
                "\n".join(f"{name}:{value}" for name, value in own),
                path + question + "&".join(sorted(query.split("&"))),
            ]
        )
        return base64.b64encode(hmac.new(self.secret.encode(), message.encode(), "sha1").digest()).decode()


async def access_key(store: Store, file: Path, user: str, now: int) -> Signing:
    """Give a user an access key and return a client's side of it."""
    owner = await store.users.get(user)
    assert owner is not None
    key_id, secret = new_pair()
    await store.access_keys.put(AccessKey(key_id, user, owner.id, Vault(file).seal(secret), "", now))
    return Signing(key_id, secret, now)
