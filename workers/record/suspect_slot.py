"""The slot of this process for a suspect: a host that lost workers so often that it may be why they died.

The record gives a worker one suspect at a time and withholds the others. The lane that has it goes on with the next
suspect of its step; the lanes of other steps wait for the slot here and do not ask the store meanwhile. Lives on the
event loop.
"""

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

from core.claim import Claim, ClaimKey, HostClaim

_MAX_WAITING = 16
"""Lanes that wait at most: each keeps a thread that handles messages."""

StepKey: TypeAlias = tuple[int, int]
"""A task's id and the index of its step."""


class SuspectSlot:
    """Who holds the slot, and who waits for it."""

    def __init__(self) -> None:
        self._holders: set[ClaimKey] = set()
        self._waiting: dict[StepKey, asyncio.Future[None]] = {}
        self.times_freed = 0
        """How often the slot became free."""

    def enter(self, claims: Iterable[Claim]) -> None:
        """Note which of the claims that were just granted are suspects."""
        self._holders.update(claim.key for claim in claims if isinstance(claim, HostClaim) and claim.suspect)

    def leave(self, claims: Iterable[ClaimKey]) -> None:
        """Note that nobody works on these claims any more; where that frees the slot, those who wait may ask again."""
        gone = self._holders.intersection(claims)
        self._holders -= gone
        if not gone or self._holders:
            return
        self.times_freed += 1
        waiting, self._waiting = self._waiting, {}
        for turn in waiting.values():
            if not turn.done():
                turn.set_result(None)

    def wait_for_turn(self, step: StepKey, times_freed: int) -> asyncio.Future[None] | None:
        """Return a future that is done once the slot is free; a lane that stops waiting cancels it.

        Args:
            step: the step of the lane.
            times_freed: what the attribute was when the lane asked the store. Where the slot has become free since
                then, the future is done at once.

        Returns:
            None where there is nothing to wait for: nobody here holds the slot (the record knows of a holder whose
            answer was lost, and the reconciler gives it back), another lane of the step waits already, or too many do.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.times_freed != times_freed:
            turn.set_result(None)
            return turn
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if not waiting.done()}
        if not self._holders or step in self._waiting or len(self._waiting) >= _MAX_WAITING:
            return None
        self._waiting[step] = turn
        return turn
