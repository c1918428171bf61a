"""The worker processes."""

from collections.abc import Mapping, Sequence

from core.claim import Beat, ClaimKey, Worker
from core.record import RECORD_VERSION
from infra.store import keys
from infra.store.connection import Connection


class Workers:
    """The worker processes: their names, and whether their counters move."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def enrol(self, name: str) -> Worker:
        """Give a starting worker process its number."""
        number = int(await self._redis.call("INCR", keys.WORKER_SEQUENCE))
        await self._redis.call("HSET", keys.WORKERS, number, name)
        return Worker(number, name)

    async def beat(self, worker: Worker, alive_for: int) -> Beat:
        """Raise a worker's counter, and return its cancelled claims. The worker is alive for so many milliseconds."""
        known, cancelled = await self._redis.run_hot("beat", worker.id, alive_for)
        return Beat(bool(known), frozenset(ClaimKey(*map(int, claim.split(":"))) for claim in cancelled))

    async def beats(self) -> Mapping[Worker, int]:
        """Return the counter of every worker, alive or not. It is `LOST` for a worker that was declared lost."""
        names, counters = await self._redis.calls([("HGETALL", keys.WORKERS), ("HGETALL", keys.BEATS)])
        return {Worker(int(number), name): int(counters.get(number, 0)) for number, name in names.items()}

    async def claims(self, worker: Worker) -> tuple[ClaimKey, ...]:
        """Return what a worker has claimed and not settled."""
        held = await self._redis.call("HGETALL", keys.claims(worker.id))
        places = ((*map(int, claim.split(":")), int(token)) for claim, token in held.items())
        return tuple(ClaimKey(task_id, series_id, token) for task_id, series_id, token in places)

    async def lead(
        self, worker: Worker, lapses: int, version: int = RECORD_VERSION, lost: Sequence[Worker] = ()
    ) -> bool:
        """Let a worker reconcile for so many milliseconds, unless another one does.

        Args:
            worker: the worker that asks.
            lapses: milliseconds.
            version: the newest form of a record that it knows. One worker reconciles for each.
            lost: workers that were declared lost. Their right is taken at once, and so is that of one that is gone:
                it would lapse by the clock of the store, which somebody may have set back.

        Returns:
            Whether it reconciles now.
        """
        numbers = [str(one.id) for one in lost]
        return bool(await self._redis.run("lead", worker=str(worker.id), lapses=lapses, version=version, lost=numbers))

    async def leave(self, worker: Worker) -> None:
        """Remove a worker that stops. One that has claims left stays, and will be declared lost."""
        if not await self.bury(worker):
            await self._redis.call("DEL", keys.alive(worker.id))

    async def condemn(self, worker: Worker, counter: int) -> bool:
        """Declare a worker lost, unless it has beaten since its counter was read.

        It is granted nothing any more, and its next beat tells it that it is unknown. That happens before anything is
        taken from it. So a worker that lives after all does not work beside the one that gets its hosts.

        Returns:
            Whether it is lost.
        """
        return bool(await self._redis.run("condemn", worker=str(worker.id), counter=counter))

    async def bury(self, worker: Worker) -> bool:
        """Remove a lost worker and all that is left of it, unless it has claims left.

        Claims of tasks that are gone do not count. A buried worker is granted nothing any more.

        Returns:
            False if it has claims left and stays. The claims must be taken from it first.
        """
        return bool(await self._redis.run("bury", worker=str(worker.id)))

    async def alive(self) -> tuple[Worker, ...]:
        """Return the workers that were alive a moment ago, by number."""
        names = await self._redis.call("HGETALL", keys.WORKERS)
        workers = sorted((Worker(int(number), name) for number, name in names.items()), key=lambda worker: worker.id)
        beating = await self._redis.calls([("EXISTS", keys.alive(worker.id)) for worker in workers])
        return tuple(worker for worker, beats in zip(workers, beating, strict=True) if beats)
