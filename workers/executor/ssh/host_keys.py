"""Public host keys as the inventory stores them: one line, `algorithm base64`, never a known_hosts file.

Keys are compared as the bytes that the host shows, so a connection parses only that one line.
"""

import base64
import binascii
import functools
import hashlib
from dataclasses import dataclass

import asyncssh
from asyncssh.public_key import get_default_public_key_algs

_RSA = "ssh-rsa"
_RSA_SIGNATURES = ("rsa-sha2-256", "rsa-sha2-512")
_WORDS = 2


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """The public key that a host must show."""

    algorithm: str
    """The key's type, such as ssh-ed25519."""
    data: bytes
    """The key in SSH's wire form."""


def parse_key(key_line: str) -> PinnedKey:
    """Read a one-line OpenSSH public key; a comment after it is ignored.

    Raises:
        ValueError: the line is not a public key.
    """
    words = key_line.split(maxsplit=_WORDS)
    if len(words) < _WORDS:
        raise ValueError("a public key has a type and a base64 text")
    try:
        data = base64.b64decode(words[1], validate=True)
    except binascii.Error as error:
        raise ValueError(f"a public key's second word is base64: {error}") from None
    name = words[0].encode()
    if not data.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError("a public key's base64 text begins with its type")
    return PinnedKey(words[0], data)


def format_key(key: asyncssh.SSHKey) -> str:
    """Return a key in the form in which it is pinned."""
    return f"{key.algorithm.decode()} {base64.b64encode(key.public_data).decode()}"


def fingerprint_data(data: bytes) -> str:
    """Return the fingerprint of a key in SSH's wire form, the way OpenSSH shows it: `SHA256:…`."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def fingerprint_key(key_line: str) -> str:
    """Return the fingerprint of a one-line public key, the way OpenSSH shows it: `SHA256:…`.

    Raises:
        ValueError: it is no public key.
    """
    return fingerprint_data(parse_key(key_line).data)


@functools.lru_cache(maxsize=16)
def list_signature_algorithms(first: str | None) -> tuple[str, ...]:
    """Return the host key algorithms to offer, those of the pinned key's type first.

    A host that has the pinned key then shows it. A host that does not have it shows another key, and so differs from an
    unreachable host. Certificates are not offered: what is pinned is a key.
    """
    known = tuple(algorithm.decode() for algorithm in get_default_public_key_algs())
    preferred = _RSA_SIGNATURES if first == _RSA else (first,)
    return tuple(sorted(known, key=lambda algorithm: algorithm not in preferred))
