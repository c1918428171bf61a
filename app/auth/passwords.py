"""Hashes, checks and generates passwords."""

import secrets
from typing import Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

MAX_PASSWORD_LENGTH: Final = 1024
"""How many characters a password may have, which bounds the cost of hashing it."""


class Passwords(Protocol):
    """Hashes passwords. Both calls take a core tens of milliseconds."""

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its salt and parameters."""

    def matches(self, password_hash: str, password: str) -> bool:
        """Return whether a hash is that of a password."""


class Argon2(Passwords):
    """argon2id, with the parameters of RFC 9106 for machines with little memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @override
    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    @override
    def matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def generate_password() -> str:
    """Return a new password of 144 random bits."""
    return secrets.token_urlsafe(18)
