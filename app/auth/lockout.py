"""Wrong passwords slow down whoever sends them: who is locked out, from where, for how long."""

import math
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from typing import Final

from core.errors import LoginBlocked
from infra.store.base import Guard

_KNOWN_FOR: Final = 30 * 24 * 3600 * 1000
"""Milliseconds for which an address counts as known after a right password."""
_HOME: Final = 64
"""Bits of an IPv6 address that name a network: whoever has one address of it has all."""


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """When a name is locked out."""

    per_source: int = 5
    """Wrong passwords for one name from one address, after which that address is refused for that name."""
    per_user: int = 50
    """Wrong passwords for one name from anywhere, after which only known addresses are heard for it."""
    lapses: float = 900.0
    """Seconds after the last wrong password until all is forgotten."""


class Lockout:
    """Counts wrong passwords in the store, so that all API processes know of them.

    Names that nobody has are counted like others: a refusal does not tell whether a user exists. An address from which
    the user came in during the last 30 days is known: strangers cannot lock a user out there.
    """

    def __init__(self, guard: Guard, rules: LockoutRules) -> None:
        self._guard = guard
        self._rules = rules

    async def check(self, name: str, source: str) -> None:
        """Let pass only who is not locked out.

        Raises:
            LoginBlocked: the name is locked out, for this address or altogether.
            StoreUnavailable: the counters cannot be read.
        """
        here, anywhere, known = await self._guard.counted(_counters(name, source))
        if here.count >= self._rules.per_source:
            raise _blocked(" from your address", here.left)
        if anywhere.count >= self._rules.per_user and not known.count:
            raise _blocked("", anywhere.left)

    async def failed(self, name: str, source: str) -> None:
        """Count a wrong password."""
        here, anywhere, _ = _counters(name, source)
        await self._guard.count((here, anywhere), round(self._rules.lapses * 1000))

    async def succeeded(self, name: str, source: str) -> None:
        """Forget the wrong passwords of an address, and know it from now on."""
        here, _, known = _counters(name, source)
        await self._guard.clear(here)
        await self._guard.count((known,), _KNOWN_FOR)


def network_of(source: str) -> str:
    """Return what counts as one source: an address, or the network of an IPv6 address."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    mapped = address.ipv4_mapped if address.version == 6 else None  # noqa: PLR2004 - IPv6
    if mapped is not None or address.version == 4:  # noqa: PLR2004 - IPv4
        return str(mapped or address)
    return str(ip_network((address, _HOME), strict=False))


def digest(*words: str) -> str:
    """Return a short name for words of any length and content."""
    return blake2b("\0".join(words).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def _counters(name: str, source: str) -> tuple[str, str, str]:
    pair = digest(name, network_of(source))
    return f"login:{pair}", f"login:{digest(name)}", f"known:{pair}"


def _blocked(whence: str, left: int) -> LoginBlocked:
    seconds = max(1, math.ceil(left / 1000))
    return LoginBlocked(
        f"Too many wrong passwords for this user name{whence}: none is looked at for now. Try again in {seconds} s.",
        seconds,
    )
