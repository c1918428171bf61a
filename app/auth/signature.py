"""The signature of a signed request, and what it signs, read from the request's headers."""

from dataclasses import dataclass, field

from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from core.errors import BadCredentials
from core.signature import SCHEME, SIGNED_PREFIX, Signable
from core.text import say

_LOSSLESS = "surrogateescape"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the Authorization header of a signed request says."""

    key_id: str
    text: str = field(repr=False)


class SignedCredentials(SecurityBase):
    """The dependency that reads the signature. It returns None where the header is missing or of another scheme."""

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
            BadCredentials: the header is of our scheme and cannot be read.
        """
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.upper() != SCHEME:
            return None
        key_id, colon, text = rest.strip().partition(":")
        if not (key_id and colon and text):
            raise BadCredentials(
                say(
                    "The Authorization header of a signed request has the form {scheme} AK:signature. This one does "
                    "not.",
                    scheme=SCHEME,
                )
            )
        return Signature(key_id, text)


def read_signed_parts(request: Request) -> Signable:
    """Return what the signature of a request signs, without the digest of its body."""
    headers: dict[str, list[str]] = {}
    for name, value in request.scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode(errors=_LOSSLESS))
    return Signable(
        method=request.method,
        body_md5="",
        content_type=",".join(headers.get("content-type", ())),
        date=",".join(headers.get("date", ())),
        host=",".join(headers.get("host", ())),
        path=_read_raw_path(request),
        query=request.scope["query_string"].decode(errors=_LOSSLESS),
        headers={name: values for name, values in headers.items() if name.startswith(SIGNED_PREFIX)},
    )


def _read_raw_path(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode(errors=_LOSSLESS)
