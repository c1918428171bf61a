"""The way to a Redis that Sentinels watch: an address names the Sentinels, and they name the primary of the moment."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from typing_extensions import override

from core.errors import Misconfigured
from infra.store.connection import build_pool_arguments
from infra.store.values import StoreOptions

SCHEME: Final = "sentinel://"
PORT: Final = 26379
"""Where a Sentinel listens that the address gives no port for."""


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Who knows the primary, which one is meant, and how to log in there."""

    sentinels: tuple[tuple[str, int], ...]
    """Host and port of each Sentinel, in the order in which they are asked."""
    primary: str
    """What the Sentinels call the primary."""
    database: int
    username: str | None
    """For the primary; the Sentinels themselves are asked without credentials."""
    password: str | None
    """For the primary."""


def parse(url: str) -> SentinelAddress:
    """Read ``sentinel://[user:password@]host:port,host:port/name?db=0``.

    Raises:
        Misconfigured: it does not read so. The sentence does not repeat it: it may hold a password.
    """
    try:
        return _parse(url)
    except ValueError as error:
        raise Misconfigured(
            f"OCPFLEET_REDIS_URL is no address of Sentinels: {error}. "
            "Write sentinel://[user:password@]host[:port],host[:port]/name-of-the-primary?db=0."
        ) from None


def _parse(url: str) -> SentinelAddress:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    primary = unquote(parts.path.strip("/"))
    if not primary:
        raise ValueError("it does not name the primary")
    return SentinelAddress(
        sentinels=tuple(_endpoint(host) for host in hosts.split(",")),
        primary=primary,
        database=_database(parts.query),
        username=unquote(username) or None,
        password=unquote(password) or None,
    )


def _endpoint(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?|([^\s:\[\]]+)(?::(\d{1,5}))?", text)
    if not found:
        raise ValueError(f"{text!r} is no host[:port]")
    return found[1] or found[3], int(found[2] or found[4] or PORT)


def _database(query: str) -> int:
    asked = dict(parse_qsl(query, keep_blank_values=True))
    number = asked.pop("db", "0")
    if asked:
        raise ValueError(f"{', '.join(sorted(asked))}: only db can be asked for")
    if not re.fullmatch(r"\d{1,5}", number):
        raise ValueError(f"db={number} is no database number")
    return int(number)


class SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whatever is the primary when each is made; waits where all are in use."""

    def __init__(self, address: SentinelAddress, options: StoreOptions) -> None:
        asking = {
            "socket_timeout": options.timeout,
            "socket_connect_timeout": options.timeout,
            "decode_responses": True,
            "retry": Retry(NoBackoff(), 0),  # the next Sentinel is asked instead
        }
        manager = Sentinel(list(address.sentinels), sentinel_kwargs=asking)
        login = {"db": address.database, "username": address.username, "password": address.password}
        super().__init__(  # type: ignore[no-untyped-call]  # the client leaves it without types
            address.primary, manager, **login, **build_pool_arguments(options)
        )

    @override
    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close the connections; with those in use, also the ones to the Sentinels."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await self.sentinel_manager.aclose()
