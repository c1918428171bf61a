"""Time that was watched: a clock that stands still while nobody could look.

A worker that did not beat while the store was away could not have. Such time says nothing about anybody, but what was
seen before and after it does. So counting does not begin anew: the seconds that were watched add up.
"""

import math


class WatchedTime:
    """Counts the seconds between looks that follow each other closely.

    Args:
        max_gap: seconds from one look to the next; after a longer gap this process itself was frozen.
    """

    def __init__(self, max_gap: float) -> None:
        self._max_gap = max_gap
        self._last_look: float | None = None
        self._seconds = 0.0
        self._last_added = 0.0
        self._resumed = 0.0

    def look(self, now: float) -> float:
        """Note a look at `now`, in seconds of a monotonic clock, and return the seconds watched until then."""
        passed = math.inf if self._last_look is None else now - self._last_look
        self._last_look = now
        self._last_added = passed if passed <= self._max_gap else 0.0
        self._seconds += self._last_added
        if passed > self._max_gap:
            self._resumed = self._seconds
        return self._seconds

    def interrupt(self) -> None:
        """Note that the last look saw nothing: neither the time before it counts, nor the time until the next one."""
        self._seconds -= self._last_added
        self._last_added = 0.0
        self._last_look = None

    @property
    def since_gap(self) -> float:
        """Seconds that were watched since the last gap."""
        return self._seconds - self._resumed
