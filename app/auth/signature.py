"""Signed requests: the signature and what it binds, read from a request's headers."""

from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from app.auth.signature_checker import Signature
from core.errors import BadCredentials
from core.signature import SCHEME, SIGNED_PREFIX, Signable
from core.text import say

_LOSSLESS = "surrogateescape"


class SignedCredentials(SecurityBase):
    """The dependency that reads the signature. None where the header is missing or of another scheme."""

    def __init__(self) -> None:
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.header,
                "name": "Authorization",
                "description": f"OCP's signature: `{SCHEME} AK:signature`, with a Date header.",
            }
        )
        self.scheme_name = "accessKey"

    async def __call__(self, request: Request) -> Signature | None:
        """Return the signature of a request.

        Raises:
            BadCredentials: the header is of our scheme but nothing that can be read.
        """
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.upper() != SCHEME:
            return None
        key_id, colon, text = rest.strip().partition(":")
        if not (key_id and colon and text):
            raise BadCredentials(
                say("A signed request says Authorization: {scheme} AK:signature. This one does not.", scheme=SCHEME)
            )
        return Signature(key_id, text)


def parts_of(request: Request) -> Signable:
    """Return what the signature of a request binds, without its body."""
    headers: dict[str, list[str]] = {}
    for name, value in request.scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode(errors=_LOSSLESS))
    return Signable(
        method=request.method,
        body_md5="",
        content_type=",".join(headers.get("content-type", ())),
        date=",".join(headers.get("date", ())),
        host=",".join(headers.get("host", ())),
        path=_raw_path(request),
        query=request.scope["query_string"].decode(errors=_LOSSLESS),
        headers={name: values for name, values in headers.items() if name.startswith(SIGNED_PREFIX)},
    )


def _raw_path(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode(errors=_LOSSLESS)
