"""HTTP Basic credentials, read from a request's header (RFC 7617, UTF-8)."""

import binascii
from base64 import b64decode
from dataclasses import dataclass, field

from fastapi.openapi.models import HTTPBase as BasicModel
from fastapi.security.base import SecurityBase
from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password that a client sent; not yet checked."""

    name: str
    password: str = field(repr=False)


class BasicCredentials(SecurityBase):
    """The dependency that reads them. It returns None where the header is missing or is not a valid Basic header."""

    def __init__(self) -> None:
        self.model = BasicModel(scheme="basic", description="A user of ocpfleet and its password.")
        self.scheme_name = "basic"

    async def __call__(self, request: Request) -> Credentials | None:
        """Return the credentials of a request."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Credentials(name, password) if colon else None
