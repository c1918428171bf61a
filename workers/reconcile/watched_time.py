"""Time as far as it was watched: a clock that stands still while nobody could look.

Who did not beat while the store was away could not have. Such time says nothing of anybody, but what was seen before
and after it does, so nothing is begun anew: the seconds that were watched add up.
"""

import math


class WatchedTime:
    """Counts the seconds between looks that follow closely upon each other.

    Args:
        longest: seconds from one look to the next; after a longer gap this process itself stood still in between.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._looked: float | None = None
        self._seconds = 0.0
        self._added = 0.0
        self._resumed = 0.0

    def look(self, now: float) -> float:
        """Look at a time, in seconds of a monotonic clock, and return how many seconds were watched until then."""
        passed = math.inf if self._looked is None else now - self._looked
        self._looked = now
        self._added = passed if passed <= self._longest else 0.0
        self._seconds += self._added
        if passed > self._longest:
            self._resumed = self._seconds
        return self._seconds

    def interrupt(self) -> None:
        """Say that the newest look saw nothing: neither the time since the one before it counts, nor that after it."""
        self._seconds -= self._added
        self._added = 0.0
        self._looked = None

    @property
    def since_gap(self) -> float:
        """Seconds that were watched since the last gap."""
        return self._seconds - self._resumed
