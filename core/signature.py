"""OCP's signature of a request, `OCP-ACCESS-KEY-HMACSHA1`: what it covers, and how it is made.

The message is seven parts joined by line feeds, each of which may be empty: method, MD5 of the body, Content-Type,
Date, Host, the x-ocp-* headers, path and query. Its HMAC-SHA1 under the secret key, in base64, is the signature.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Final
from urllib.parse import parse_qsl, quote

SCHEME: Final = "OCP-ACCESS-KEY-HMACSHA1"
"""The scheme in the Authorization header of a signed request."""
SIGNED_PREFIX: Final = "x-ocp-"
"""The signature covers the headers whose names begin so."""
_UNRESERVED: Final = "-._~"
_LOSSLESS: Final = "surrogateescape"
"""Keeps bytes that are not UTF-8 as they are."""


@dataclass(frozen=True, slots=True)
class Signable:
    """The parts of a request that its signature covers, as they were sent."""

    method: str
    body_md5: str
    """`body_md5(body)`: upper-case hexadecimal; empty if there is no body."""
    content_type: str
    """The header as it was sent; empty if there is none."""
    date: str
    host: str
    """With the port, if the client's Host header has one."""
    path: str
    """As it was sent, percent-encoded, without the query."""
    query: str = ""
    """As it was sent, without the question mark."""
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The x-ocp-* headers: lower-case names, and values in the order in which they were sent."""

    def messages(self) -> tuple[str, ...]:
        """Return the messages that the client may have signed.

        There are two where the query repeats a key, because OCP's description does not say whether the comma that
        joins its values is percent-encoded. Both cover the same request.
        """
        return tuple(
            dict.fromkeys(
                "\n".join(
                    (
                        self.method,
                        self.body_md5,
                        self.content_type,
                        self.date,
                        self.host,
                        _header_lines(self.headers),
                        self.path + _canonicalize(self.query, comma),
                    )
                )
                for comma in (",", "%2C")
            )
        )


def body_md5(body: bytes) -> str:
    """Return the part of the message that covers the body."""
    return md5(body, usedforsecurity=False).hexdigest().upper() if body else ""


def sign(secret: str, message: str) -> str:
    """Return the signature of a message with a secret key."""
    digest = hmac.digest(secret.encode(), message.encode(errors=_LOSSLESS), "sha1")
    return b64encode(digest).decode()


def find_matching_signature(secret: str, signable: Signable, given: str) -> str | None:
    """Return the request's signature if the given one matches it, else None. Any wrong one takes equally long."""
    sent = given.encode(errors=_LOSSLESS)
    found = None
    for message in signable.messages():
        correct = sign(secret, message)
        if hmac.compare_digest(correct.encode(), sent):
            found = correct
    return found


def _header_lines(headers: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"{name}:{','.join(values)}" for name, values in sorted(headers.items()))


def _canonicalize(query: str, comma: str) -> str:
    """Return a query with its keys and each key's values sorted, encoded as RFC 3986 says; empty if it has none."""
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True, errors=_LOSSLESS):
        values.setdefault(key, []).append(value)
    if not values:
        return ""
    pairs = (f"{_encode(key)}={comma.join(map(_encode, sorted(values[key])))}" for key in sorted(values))
    return "?" + "&".join(pairs)


def _encode(text: str) -> str:
    return quote(text, safe=_UNRESERVED, errors=_LOSSLESS)
