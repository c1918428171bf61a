"""The store on one primary Redis, with one pool of connections."""

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis

from core.errors import Misconfigured
from infra.store import keys, sentinel
from infra.store.access_keys import AccessKeys
from infra.store.audit import Audit
from infra.store.brake import Brakes
from infra.store.connection import Connection, build_pool_arguments
from infra.store.errands import Errands
from infra.store.guard import Guard
from infra.store.hosts import Hosts
from infra.store.tasks import Tasks
from infra.store.users import Users
from infra.store.values import StoreOptions
from infra.store.workers import Workers


class Store:
    """The record: the one place that says what is true."""

    def __init__(self, client: Redis, options: StoreOptions) -> None:
        self._redis = Connection(client)
        self._options = options
        self._tasks = Tasks(self._redis, options)
        self._hosts = Hosts(self._redis)
        self._errands = Errands(self._redis, options)
        self._workers = Workers(self._redis)
        self._brake = Brakes(self._redis)
        self._users = Users(self._redis)
        self._access_keys = AccessKeys(self._redis)
        self._guard = Guard(self._redis)
        self._audit = Audit(self._redis, options)

    @classmethod
    def at(cls, url: str, options: StoreOptions) -> "Store":
        """Return a store on the Redis at `url` (redis://, rediss:// or sentinel://). Nothing is sent yet.

        Raises:
            Misconfigured: the address cannot be read.
        """
        return cls(client_at(url, options), options)

    @property
    def tasks(self) -> Tasks:
        """The tasks."""
        return self._tasks

    @property
    def hosts(self) -> Hosts:
        """The inventory."""
        return self._hosts

    @property
    def errands(self) -> Errands:
        """What workers do while a client waits."""
        return self._errands

    @property
    def workers(self) -> Workers:
        """The worker processes."""
        return self._workers

    @property
    def brake(self) -> Brakes:
        """The fleet's brake."""
        return self._brake

    @property
    def users(self) -> Users:
        """The users."""
        return self._users

    @property
    def access_keys(self) -> AccessKeys:
        """The users' access keys."""
        return self._access_keys

    @property
    def guard(self) -> Guard:
        """Marks and counters that lapse."""
        return self._guard

    @property
    def audit(self) -> Audit:
        """Who did what."""
        return self._audit

    async def check(self) -> None:
        """Check that the store keeps what is written to it.

        Raises:
            Misconfigured: it may lose or evict data, or it spreads keys over several primaries.
        """
        info = await self._redis.call("INFO", "everything")
        if int(info.get("cluster_enabled", 0)):
            raise Misconfigured(
                "OCPFLEET_REDIS_URL points to a Redis Cluster. A request changes the keys of many hosts at once, which "
                "a cluster cannot do in one step: use a single primary, with Sentinel and replicas if it must not fail."
            )
        if await self._redis.call("EXISTS", keys.RESTORING):
            raise Misconfigured(
                "The record at OCPFLEET_REDIS_URL is not whole: a restore is at work there, or broke off. Wait for its "
                "end, or run `ocpfleet restore FILE --replace` again."
            )
        if self._options.may_forget:
            return
        if not int(info.get("aof_enabled", 0)):
            raise Misconfigured(
                "The Redis at OCPFLEET_REDIS_URL keeps no append-only file, so a restart would lose accepted tasks. "
                "Start it with --appendonly yes, or set OCPFLEET_ALLOW_VOLATILE_STORE=true if losing tasks is "
                "acceptable."
            )
        if info.get("maxmemory_policy", "noeviction") != "noeviction":
            raise Misconfigured(
                f"The Redis at OCPFLEET_REDIS_URL evicts keys when its memory is full (maxmemory-policy "
                f"{info['maxmemory_policy']}), so tasks could vanish. Set maxmemory-policy noeviction, "
                "or set OCPFLEET_ALLOW_VOLATILE_STORE=true if losing tasks is acceptable."
            )

    async def ping(self) -> None:
        """Check that the store answers."""
        await self._redis.call("PING")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tasks.aclose()
        await self._redis.aclose()


def client_at(url: str, options: StoreOptions) -> Redis:
    """Return a client of the Redis at `url`. Nothing is sent yet.

    Raises:
        Misconfigured: the address cannot be read.
    """
    pool: ConnectionPool = (
        sentinel.SentinelPool(sentinel.parse(url), options)
        if url.startswith(sentinel.SCHEME)
        else BlockingConnectionPool.from_url(url, **build_pool_arguments(options))
    )
    return Redis.from_pool(pool)
