"""Requests signed with an access key, in OCP's scheme."""

import secrets
from collections.abc import Generator
from datetime import UTC, datetime

import httpx
from typing_extensions import override

from core.signature import SCHEME, Signable, body_md5, sign


class AccessKeyAuth(httpx.Auth):
    """Signs each request when it is sent. A nonce makes every signature unique, so that no request looks like a replay.

    Args:
        key_id: the access key (AK).
        secret: the secret key (SK).
    """

    requires_request_body = True

    def __init__(self, key_id: str, secret: str) -> None:
        self._key_id = key_id
        self._secret = secret

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Date"] = f"{datetime.now(tz=UTC):%a, %d %b %Y %H:%M:%S} GMT"
        request.headers["x-ocp-nonce"] = nonce = secrets.token_hex(8)
        path, _, query = request.url.raw_path.decode().partition("?")
        signable = Signable(
            method=request.method,
            body_md5=body_md5(request.content),
            content_type=request.headers.get("Content-Type", ""),
            date=request.headers["Date"],
            host=request.headers["Host"],
            path=path,
            query=query,
            headers={"x-ocp-nonce": (nonce,)},
        )
        signed = sign(self._secret, signable.messages()[0])
        request.headers["Authorization"] = f"{SCHEME} {self._key_id}:{signed}"
        yield request
