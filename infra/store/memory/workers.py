"""The worker processes in memory."""

from collections.abc import Callable, Mapping, Sequence

from typing_extensions import override

from core.claim import Beat, ClaimKey, Worker
from core.record import RECORD_VERSION
from infra.store.base import LOST, Workers


class MemoryWorkers(Workers):
    """The worker processes of one fleet; who is alive is a matter of the given clock."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._last = 0
        self._enrolled: dict[int, Worker] = {}
        self._alive_until: dict[int, int] = {}
        self._cancelled: dict[int, set[ClaimKey]] = {}
        self._beats: dict[int, int] = {}
        self._leaders: dict[int, tuple[int, int]] = {}
        """By version: who reconciles, and until when."""
        self.runners: dict[ClaimKey, int] = {}
        """Who has which claim."""
        self.suspects: dict[int, tuple[int, int]] = {}
        """By worker: task and seriesId of the one claim whose subtask lost workers before."""
        self.task_exists: Callable[[int], bool] = lambda _: False
        """Whether there is a task: what is claimed of one that is gone can be opened by nobody."""

    @override
    async def enrol(self, name: str) -> Worker:
        self._last += 1
        self._enrolled[self._last] = Worker(self._last, name)
        return self._enrolled[self._last]

    @override
    async def beat(self, worker: Worker, alive_for: int) -> Beat:
        if not self._is_known(worker):
            return Beat(known=False)
        self._beats[worker.id] = self._beats.get(worker.id, 0) + 1
        self._alive_until[worker.id] = self._clock() + alive_for
        return Beat(known=True, cancelled=frozenset(self._cancelled.get(worker.id, ())))

    def buried(self, worker: Worker) -> bool:
        """Return whether a worker was enrolled, and was called lost or buried since or has left."""
        return worker.id <= self._last and not self._is_known(worker)

    def _is_known(self, worker: Worker) -> bool:
        return worker.id in self._enrolled and self._beats.get(worker.id) != LOST

    def let_go(self, worker_id: int, claim: ClaimKey) -> bool:
        """Ask a worker to let a claim go; False where it is not alive."""
        alive = worker_id in self._enrolled and self._clock() < self._alive_until.get(worker_id, 0)
        if alive:
            self._cancelled.setdefault(worker_id, set()).add(claim)
        return alive

    def over(self, worker_id: int, claim: ClaimKey) -> None:
        """Forget that a worker was asked to let a claim go: it has."""
        self._cancelled.get(worker_id, set()).discard(claim)

    def drop(self, worker_id: int, claim: ClaimKey) -> None:
        """Forget that a worker has a claim."""
        if self.runners.get(claim) == worker_id:
            del self.runners[claim]
        if self.suspects.get(worker_id) == (claim.task_id, claim.series_id):
            del self.suspects[worker_id]

    @override
    async def beats(self) -> Mapping[Worker, int]:
        return {worker: self._beats.get(worker.id, 0) for worker in self._enrolled.values()}

    @override
    async def claims(self, worker: Worker) -> tuple[ClaimKey, ...]:
        return tuple(claim for claim, runner in self.runners.items() if runner == worker.id)

    @override
    async def lead(
        self, worker: Worker, lapses: int, version: int = RECORD_VERSION, lost: Sequence[Worker] = ()
    ) -> bool:
        leader, until = self._leaders.get(version, (0, 0))
        waited_for = leader in self._enrolled and leader not in {one.id for one in lost}
        if leader != worker.id and waited_for and self._clock() < until:
            return False
        self._leaders[version] = worker.id, self._clock() + lapses
        return True

    @override
    async def leave(self, worker: Worker) -> None:
        self._alive_until.pop(worker.id, None)
        await self.bury(worker)

    @override
    async def condemn(self, worker: Worker, counter: int) -> bool:
        if worker.id not in self._enrolled or self._beats.get(worker.id, 0) != counter:
            return False
        self._beats[worker.id] = LOST
        self._alive_until.pop(worker.id, None)
        return True

    @override
    async def bury(self, worker: Worker) -> bool:
        for claim in await self.claims(worker):
            if not self.task_exists(claim.task_id):
                del self.runners[claim]
        if await self.claims(worker):
            return False
        for kept in (self._enrolled, self._alive_until, self._cancelled, self._beats, self.suspects):
            kept.pop(worker.id, None)
        return True

    @override
    async def alive(self) -> tuple[Worker, ...]:
        now = self._clock()
        return tuple(worker for worker in self._enrolled.values() if now < self._alive_until.get(worker.id, now))
