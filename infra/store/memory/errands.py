"""Errands in memory."""

import asyncio
from collections.abc import Callable

from typing_extensions import override

from core.errand import ClaimedErrand, Errand, ErrandAnswer
from infra.store.base import Errands
from infra.store.memory.brake import MemoryBrake


class MemoryErrands(Errands):
    """The errands of one fleet in this process; they lapse by the given clock."""

    def __init__(self, brake: MemoryBrake, clock: Callable[[], int]) -> None:
        self._brake = brake
        self._clock = clock
        self._open: dict[str, tuple[Errand, int]] = {}
        self._answers: dict[str, ErrandAnswer] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    @override
    async def put(self, errand: Errand, lasts: int) -> None:
        self._open[errand.id] = errand, self._clock() + lasts

    @override
    async def claim(self, errand_id: str) -> ClaimedErrand | None:
        errand, until = self._open.get(errand_id, (None, 0))
        left = until - self._clock()
        if errand is None or left <= 0 or (errand.kind.changes and self._brake.on is not None):
            return None
        del self._open[errand_id]
        return ClaimedErrand(errand, left)

    @override
    async def withdraw(self, errand_id: str) -> bool:
        _, until = self._open.pop(errand_id, (None, 0))
        return until > self._clock()

    @override
    async def answer(self, errand_id: str, answer: ErrandAnswer) -> None:
        self._answers[errand_id] = answer
        if waiting := self._waiting.get(errand_id):
            waiting.set()

    @override
    async def wait(self, errand_id: str, patience: float) -> ErrandAnswer | None:
        answered = self._waiting.setdefault(errand_id, asyncio.Event())
        try:
            if errand_id not in self._answers:
                async with asyncio.timeout(patience):
                    await answered.wait()
        except TimeoutError:
            return None
        finally:
            del self._waiting[errand_id]
        return self._answers.pop(errand_id)
