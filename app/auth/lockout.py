"""Locks out whoever sends too many wrong passwords, for a while."""

import math
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from core.errors import LoginBlocked
from core.text import Text, say
from infra.store.guard import Guard

_KNOWN_FOR: Final = 30 * 24 * 3600 * 1000
"""How many milliseconds an address counts as known after a right password."""
_NETWORK_BITS: Final = 64
"""Bits of an IPv6 address that name a network. Whoever has one address of a network has all of them."""


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """How many wrong passwords lock a client out, and for how long."""

    per_pair: int = 5
    """Wrong passwords for one name from one address, after which the address is refused for that name."""
    per_address: int = 100
    """Wrong passwords for any names from one address, after which it is refused, except for users known there."""
    per_user: int = 50
    """Wrong passwords for one name from anywhere, after which it is refused, except from addresses known for it."""
    lapses: float = 900.0
    """Seconds after the last wrong password until the count starts again."""


class Lockout:
    """Counts wrong passwords in the store, so that all API processes know of them.

    Names of no user are counted too, so a refusal does not tell whether a user exists. An address from which a user
    logged in during the last 30 days is known for that user, and strangers cannot lock the user out there.
    """

    def __init__(self, guard: Guard, rules: LockoutRules) -> None:
        self._guard = guard
        self._rules = rules

    async def check(self, name: str, source: str) -> None:
        """Check that a client is not locked out.

        Raises:
            LoginBlocked: the client is locked out.
            StoreUnavailable: the counters cannot be read.
        """
        pair, user, address, known = await self._guard.read_counters(
            [*_make_counter_keys(name, source), _make_known_key(name, source)]
        )
        if pair.count >= self._rules.per_pair:
            raise _block(say("for this user name from your address"), pair.left)
        if user.count >= self._rules.per_user and not known.count:
            raise _block(say("for this user name"), user.left)
        if address.count >= self._rules.per_address and not known.count:
            raise _block(say("from your address"), address.left)

    async def record_failure(self, name: str, source: str) -> None:
        """Count a wrong password."""
        await self._guard.count(_make_counter_keys(name, source), round(self._rules.lapses * 1000))

    async def record_success(self, name: str, source: str) -> None:
        """Forget the wrong passwords for a name from an address, and remember the address as known."""
        pair, *_ = _make_counter_keys(name, source)
        await self._guard.clear(pair)
        await self._guard.count((_make_known_key(name, source),), _KNOWN_FOR)


def network_of(source: str) -> str:
    """Return what counts as one source: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if mapped is not None or isinstance(address, IPv4Address):
        return str(mapped or address)
    return str(ip_network((address, _NETWORK_BITS), strict=False))


def digest(*words: str) -> str:
    """Return a short key for words of any length and content."""
    return blake2b("\0".join(words).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def _make_counter_keys(name: str, source: str) -> tuple[str, str, str]:
    network = network_of(source)
    return f"login:{digest(name, network)}", f"login:user:{digest(name)}", f"login:address:{digest(network)}"


def _make_known_key(name: str, source: str) -> str:
    return f"known:{digest(name, network_of(source))}"


def _block(which: Text, left: int) -> LoginBlocked:
    seconds = max(1, math.ceil(left / 1000))
    return LoginBlocked(
        say(
            "Too many wrong passwords {which}. No password is checked for now. Try again in {seconds} s.",
            which=which,
            seconds=seconds,
        ),
        seconds,
    )
