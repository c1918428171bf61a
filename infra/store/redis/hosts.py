"""The inventory in Redis."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from typing_extensions import override

from core.chunks import chunks
from core.host import Host
from infra.store.base import CHUNK, HostEntry, HostPage, Hosts
from infra.store.redis import keys
from infra.store.redis.connection import Argument, Connection
from infra.store.redis.heads import HOST_FIELDS, parse_host


class RedisHosts(Hosts):
    """The inventory of one fleet in one Redis."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    @override
    async def put(self, entries: Iterable[HostEntry], now: int) -> None:
        for chunk in chunks(tuple(entries), CHUNK):
            await self._redis.run("put_host", now, *(word for entry in chunk for word in _words(entry)))

    @override
    async def page(self, offset: int, limit: int) -> HostPage:
        total, members = await self._redis.calls(
            [("ZCARD", keys.HOSTS), ("ZRANGEBYLEX", keys.HOSTS, "-", "+", "LIMIT", offset, limit)]
        )
        found = await self.get(tuple(map(int, members)))
        return HostPage(tuple(found.values()), total)

    @override
    async def get(self, host_ids: Sequence[int]) -> dict[int, Host]:
        found: dict[int, Host] = {}
        for chunk in chunks(host_ids, CHUNK):
            rows = await self._redis.calls([("HMGET", keys.host(host_id), *HOST_FIELDS) for host_id in chunk])
            found.update(
                (host_id, parse_host(host_id, row))
                for host_id, row in zip(chunk, rows, strict=True)
                if row[0] is not None
            )
        return found

    @override
    async def unknown(self, host_ids: Sequence[int]) -> tuple[int, ...]:
        queries: list[tuple[Argument, ...]] = [
            ("ZMSCORE", keys.HOSTS, *map(keys.host_member, chunk)) for chunk in chunks(host_ids, CHUNK)
        ]
        scores = [score for answer in await self._redis.calls(queries) for score in answer]
        return tuple(host_id for host_id, score in zip(host_ids, scores, strict=True) if score is None)

    @override
    async def aliases(self) -> Mapping[str, int]:
        return {alias: int(host_id) for alias, host_id in (await self._redis.call("HGETALL", keys.ALIASES)).items()}

    @override
    async def pin(self, host_id: int, key: str, now: int, *, replace: bool) -> bool:
        return bool(await self._redis.run("pin", host_id, key, now, int(replace)))


def _words(entry: HostEntry) -> Iterator[Argument]:
    target = entry.target
    yield from (target.host_id, keys.host_member(target.host_id), target.address, target.port, target.user)
    yield from (target.agent_home, target.agent_prefix, int(target.sudo), target.host_key or "", entry.alias or "")
