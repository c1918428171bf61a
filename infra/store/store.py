"""The record in Redis: one primary, reached by one pool of connections."""

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from typing_extensions import override

from core.errors import Misconfigured
from infra.store import keys, sentinel
from infra.store.access_keys import RedisAccessKeys
from infra.store.audit import RedisAudit
from infra.store.brake import RedisBrake
from infra.store.connection import Connection, pooling
from infra.store.errands import RedisErrands
from infra.store.guard import RedisGuard
from infra.store.hosts import RedisHosts
from infra.store.tasks import RedisTasks
from infra.store.users import RedisUsers
from infra.store.values import (
    AccessKeys,
    Audit,
    Brakes,
    Errands,
    Guard,
    Hosts,
    Store,
    StoreOptions,
    Tasks,
    Users,
    Workers,
)
from infra.store.workers import RedisWorkers


class RedisStore(Store):
    """The record, kept by Redis."""

    def __init__(self, client: Redis, options: StoreOptions) -> None:
        self._redis = Connection(client)
        self._options = options
        self._tasks = RedisTasks(self._redis, options)
        self._hosts = RedisHosts(self._redis)
        self._errands = RedisErrands(self._redis, options)
        self._workers = RedisWorkers(self._redis)
        self._brake = RedisBrake(self._redis)
        self._users = RedisUsers(self._redis)
        self._access_keys = RedisAccessKeys(self._redis)
        self._guard = RedisGuard(self._redis)
        self._audit = RedisAudit(self._redis, options)

    @classmethod
    def at(cls, url: str, options: StoreOptions) -> "RedisStore":
        """Return a store on the Redis at `url` (redis://, rediss:// or sentinel://). Nothing is sent yet.

        Raises:
            Misconfigured: the address cannot be read.
        """
        return cls(client_at(url, options), options)

    @property
    @override
    def tasks(self) -> Tasks:
        return self._tasks

    @property
    @override
    def hosts(self) -> Hosts:
        return self._hosts

    @property
    @override
    def errands(self) -> Errands:
        return self._errands

    @property
    @override
    def workers(self) -> Workers:
        return self._workers

    @property
    @override
    def brake(self) -> Brakes:
        return self._brake

    @property
    @override
    def users(self) -> Users:
        return self._users

    @property
    @override
    def access_keys(self) -> AccessKeys:
        return self._access_keys

    @property
    @override
    def guard(self) -> Guard:
        return self._guard

    @property
    @override
    def audit(self) -> Audit:
        return self._audit

    @override
    async def check(self) -> None:
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

    @override
    async def ping(self) -> None:
        await self._redis.call("PING")

    @override
    async def aclose(self) -> None:
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
        else BlockingConnectionPool.from_url(url, **pooling(options))
    )
    return Redis.from_pool(pool)
