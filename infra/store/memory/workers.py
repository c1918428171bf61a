"""The worker processes in memory."""

from collections.abc import Callable

from typing_extensions import override

from core.claim import Beat, ClaimKey, Worker
from infra.store.base import Workers


class MemoryWorkers(Workers):
    """The worker processes of one fleet; who is alive is a matter of the given clock."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._last = 0
        self._enrolled: dict[int, Worker] = {}
        self._alive_until: dict[int, int] = {}
        self._cancelled: dict[int, set[ClaimKey]] = {}

    @override
    async def enrol(self, name: str) -> Worker:
        self._last += 1
        self._enrolled[self._last] = Worker(self._last, name)
        return self._enrolled[self._last]

    @override
    async def beat(self, worker: Worker, alive_for: int) -> Beat:
        if worker.id not in self._enrolled:
            return Beat(known=False)
        self._alive_until[worker.id] = self._clock() + alive_for
        return Beat(known=True, cancelled=frozenset(self._cancelled.get(worker.id, ())))

    def let_go(self, worker_id: int, claim: ClaimKey) -> bool:
        """Ask a worker to let a claim go; False where it is not alive."""
        alive = worker_id in self._enrolled and self._clock() < self._alive_until.get(worker_id, 0)
        if alive:
            self._cancelled.setdefault(worker_id, set()).add(claim)
        return alive

    def over(self, worker_id: int, claim: ClaimKey) -> None:
        """Forget that a worker was asked to let a claim go: it has."""
        self._cancelled.get(worker_id, set()).discard(claim)

    @override
    async def leave(self, worker: Worker) -> None:
        self._enrolled.pop(worker.id, None)
        self._alive_until.pop(worker.id, None)
        self._cancelled.pop(worker.id, None)

    @override
    async def alive(self) -> tuple[Worker, ...]:
        now = self._clock()
        return tuple(worker for worker in self._enrolled.values() if now < self._alive_until.get(worker.id, now))
