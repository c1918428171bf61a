"""Access keys: what a program shows and signs with in place of a user's name and password."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key of a user, as it is kept. It may do what its user may do."""

    id: str
    """The AK: public, names the key."""
    user: str
    """The user's name."""
    user_id: int
    """The user's number: a key does not pass to somebody who later gets the same name."""
    sealed: str = field(repr=False)
    """The SK, encrypted with the key file of the API; never the SK."""
    description: str
    """What people noted of it."""
    created: int
    """Milliseconds since the epoch."""


def make_key_pair() -> tuple[str, str]:
    """Return a new AK and its SK, of 96 and 256 random bits, in hexadecimal as OCP has them."""
    return secrets.token_hex(12), secrets.token_hex(32)
