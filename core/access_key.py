"""Access keys: programs sign their requests with one, in place of a user's name and password."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key as the store keeps it. It may do what its user may do."""

    id: str
    """The AK: public, identifies the key."""
    user: str
    """The user's name."""
    user_id: int
    """The user's number, so that the key does not pass to a later user of the same name."""
    sealed: str = field(repr=False)
    """The SK, encrypted with the key file of the API; never the SK itself."""
    description: str
    """What people noted about it."""
    created: int
    """Milliseconds since the epoch."""


def make_key_pair() -> tuple[str, str]:
    """Return a new AK (96 random bits) and its SK (256), in hexadecimal like OCP's."""
    return secrets.token_hex(12), secrets.token_hex(32)
