"""The worker processes in Redis."""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from core.claim import Beat, ClaimKey, Worker
from core.record import RECORD_VERSION
from infra.store import keys
from infra.store.connection import Connection
from infra.store.values import Workers


class RedisWorkers(Workers):
    """The worker processes of one fleet in one Redis."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    @override
    async def enrol(self, name: str) -> Worker:
        number = int(await self._redis.call("INCR", keys.WORKER_SEQUENCE))
        await self._redis.call("HSET", keys.WORKERS, number, name)
        return Worker(number, name)

    @override
    async def beat(self, worker: Worker, alive_for: int) -> Beat:
        known, cancelled = await self._redis.run("beat", worker.id, alive_for)
        return Beat(bool(known), frozenset(ClaimKey(*map(int, claim.split(":"))) for claim in cancelled))

    @override
    async def beats(self) -> Mapping[Worker, int]:
        names, counters = await self._redis.calls([("HGETALL", keys.WORKERS), ("HGETALL", keys.BEATS)])
        return {Worker(int(number), name): int(counters.get(number, 0)) for number, name in names.items()}

    @override
    async def claims(self, worker: Worker) -> tuple[ClaimKey, ...]:
        held = await self._redis.call("HGETALL", keys.claims(worker.id))
        places = ((*map(int, claim.split(":")), int(token)) for claim, token in held.items())
        return tuple(ClaimKey(task_id, series_id, token) for task_id, series_id, token in places)

    @override
    async def lead(
        self, worker: Worker, lapses: int, version: int = RECORD_VERSION, lost: Sequence[Worker] = ()
    ) -> bool:
        return bool(await self._redis.run("lead", worker.id, lapses, version, *(one.id for one in lost)))

    @override
    async def leave(self, worker: Worker) -> None:
        if not await self.bury(worker):
            await self._redis.call("DEL", keys.alive(worker.id))

    @override
    async def condemn(self, worker: Worker, counter: int) -> bool:
        return bool(await self._redis.run("condemn", worker.id, counter))

    @override
    async def bury(self, worker: Worker) -> bool:
        return bool(await self._redis.run("bury", worker.id))

    @override
    async def alive(self) -> tuple[Worker, ...]:
        names = await self._redis.call("HGETALL", keys.WORKERS)
        workers = sorted((Worker(int(number), name) for number, name in names.items()), key=lambda worker: worker.id)
        beating = await self._redis.calls([("EXISTS", keys.alive(worker.id)) for worker in workers])
        return tuple(worker for worker, beats in zip(workers, beating, strict=True) if beats)
