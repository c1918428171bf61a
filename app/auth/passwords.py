"""Passwords: how they are hashed, checked and generated."""

import secrets
from typing import Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

LONGEST: Final = 1024
"""Most characters of a password: what is hashed is bounded."""


class Passwords(Protocol):
    """A way to hash passwords. Both calls take tens of milliseconds of a core."""

    def hashed(self, password: str) -> str:
        """Return a password's hash, with its salt and parameters."""

    def match(self, password_hash: str, password: str) -> bool:
        """Return whether a hash is that password's."""


class Argon2(Passwords):
    """argon2id, with the parameters of RFC 9106 for machines with little memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @override
    def hashed(self, password: str) -> str:
        return self._hasher.hash(password)

    @override
    def match(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def generated() -> str:
    """Return a new password of 144 random bits."""
    return secrets.token_urlsafe(18)
