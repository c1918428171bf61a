"""Wrong passwords slow down whoever sends them: who is locked out, from where, for how long."""

import math
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from typing import Final

from core.errors import LoginBlocked
from core.text import Text, say
from infra.store.guard import Guard

_KNOWN_FOR: Final = 30 * 24 * 3600 * 1000
"""Milliseconds for which an address counts as known after a right password."""
_HOME: Final = 64
"""Bits of an IPv6 address that name a network: whoever has one address of it has all."""


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """When a name is locked out."""

    per_pair: int = 5
    """Wrong passwords for one name from one address, after which that address is refused for that name."""
    per_address: int = 100
    """Wrong passwords for any names from one address, after which only users known there are heard."""
    per_user: int = 50
    """Wrong passwords for one name from anywhere, after which only known addresses are heard for it."""
    lapses: float = 900.0
    """Seconds after the last wrong password until all is forgotten."""


class Lockout:
    """Counts wrong passwords in the store, so that all API processes know of them.

    Names that nobody has are counted like others: a refusal does not tell whether a user exists. An address from which
    a user came in during the last 30 days is known for this user: strangers cannot lock the user out there.
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
        pair, user, address, known = await self._guard.counted([*_counters(name, source), _known(name, source)])
        if pair.count >= self._rules.per_pair:
            raise _blocked(say("for this user name from your address"), pair.left)
        if user.count >= self._rules.per_user and not known.count:
            raise _blocked(say("for this user name"), user.left)
        if address.count >= self._rules.per_address and not known.count:
            raise _blocked(say("from your address"), address.left)

    async def failed(self, name: str, source: str) -> None:
        """Count a wrong password."""
        await self._guard.count(_counters(name, source), round(self._rules.lapses * 1000))

    async def succeeded(self, name: str, source: str) -> None:
        """Forget the wrong passwords for a name from an address, and know it there from now on."""
        pair, *_ = _counters(name, source)
        await self._guard.clear(pair)
        await self._guard.count((_known(name, source),), _KNOWN_FOR)


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
    network = network_of(source)
    return f"login:{digest(name, network)}", f"login:user:{digest(name)}", f"login:address:{digest(network)}"


def _known(name: str, source: str) -> str:
    return f"known:{digest(name, network_of(source))}"


def _blocked(which: Text, left: int) -> LoginBlocked:
    seconds = max(1, math.ceil(left / 1000))
    return LoginBlocked(
        say(
            "Too many wrong passwords {which}: none is looked at for now. Try again in {seconds} s.",
            which=which,
            seconds=seconds,
        ),
        seconds,
    )
