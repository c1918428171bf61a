"""The place of this process for a suspect: a host that lost workers so often that it may be why they died.

The record gives a worker one suspect at a time and withholds the others. Whoever has it goes on with the next one of
its step; the lanes of other steps wait for their turn here and ask nothing meanwhile. Lives on the event loop.
"""

import asyncio
from collections.abc import Iterable

from core.claim import Claim, ClaimKey, HostClaim

_MOST_WAITING = 16
"""So many lanes wait at the most: each keeps a thread that handles messages."""

Step = tuple[int, int]
"""A task's id and the index of its step."""


class SuspectPlace:
    """Who is in the place, and who waits for it."""

    def __init__(self) -> None:
        self._in_it: set[ClaimKey] = set()
        self._waiting: dict[Step, asyncio.Future[None]] = {}
        self.vacated = 0
        """How often the place became free."""

    def enter(self, claims: Iterable[Claim]) -> None:
        """Note which claims, of those just granted, are suspects."""
        self._in_it.update(claim.key for claim in claims if isinstance(claim, HostClaim) and claim.suspect)

    def leave(self, claims: Iterable[ClaimKey]) -> None:
        """Note that nobody works on claims any more; whoever waits may ask again where that frees the place."""
        gone = self._in_it.intersection(claims)
        self._in_it -= gone
        if not gone or self._in_it:
            return
        self.vacated += 1
        waiting, self._waiting = self._waiting, {}
        for turn in waiting.values():
            if not turn.done():
                turn.set_result(None)

    def turn(self, step: Step, seen: int) -> asyncio.Future[None] | None:
        """Return what is done once the place is free; whoever does not wait for it any more cancels it.

        Args:
            step: for which step.
            seen: what `vacated` was when the store was asked. Where it has become free since, that is at once.

        Returns:
            None where nothing is to be waited for: nobody here is in the place (the record knows of one whose answer
            was lost, and the reconciler gives it back), another lane of the step waits already, or too many do.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.vacated != seen:
            turn.set_result(None)
            return turn
        self._waiting = {whose: waits for whose, waits in self._waiting.items() if not waits.done()}
        if not self._in_it or step in self._waiting or len(self._waiting) >= _MOST_WAITING:
            return None
        self._waiting[step] = turn
        return turn
