"""Marks and counters in memory."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from infra.store.base import Counted, Guard

_NOTHING = Counted(0, 0)


class MemoryGuard(Guard):
    """Marks and counters in this process; they lapse by the given clock."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._until: dict[str, tuple[int, int]] = {}

    @override
    async def mark(self, name: str, lapses: int) -> bool:
        if self._standing(f"mark:{name}").count:
            return False
        self._until[f"mark:{name}"] = 1, self._clock() + lapses
        return True

    @override
    async def count(self, names: Sequence[str], lapses: int) -> tuple[int, ...]:
        for name in names:
            self._until[name] = self._standing(name).count + 1, self._clock() + lapses
        return tuple(self._until[name][0] for name in names)

    @override
    async def counted(self, names: Sequence[str]) -> tuple[Counted, ...]:
        return tuple(map(self._standing, names))

    @override
    async def clear(self, name: str) -> None:
        self._until.pop(name, None)

    def _standing(self, name: str) -> Counted:
        count, until = self._until.get(name, (0, 0))
        left = until - self._clock()
        return Counted(count, left) if left > 0 else _NOTHING
