"""The places for hosts that this process works on at a time, shared fairly by all lanes. Lives on the event loop."""

import asyncio
from collections import deque


class Slots:
    """A bounded number of places for hosts in flight; the lane that has waited longest gets the next one."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self, count: int) -> int:
        """Take up to `count` places now and return how many; none while others wait for one."""
        if self._waiting:
            return 0
        taken = min(count, self._free)
        self._free -= taken
        return taken

    async def take_one(self) -> None:
        """Wait for a place and take it."""
        if self.take(1):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(1)
            raise

    def release(self, count: int) -> None:
        """Give places back, first to the lanes that wait."""
        while count and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                count -= 1
        self._free += count
