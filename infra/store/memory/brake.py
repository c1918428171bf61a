"""The fleet's brake in memory."""

from typing_extensions import override

from core.brake import Brake
from infra.store.base import Brakes


class MemoryBrake(Brakes):
    """The brake of one fleet in this process."""

    def __init__(self) -> None:
        self.on: Brake | None = None

    @override
    async def pull(self, brake: Brake) -> Brake:
        self.on = self.on or brake
        return self.on

    @override
    async def release(self) -> Brake | None:
        was, self.on = self.on, None
        return was

    @override
    async def get(self) -> Brake | None:
        return self.on
