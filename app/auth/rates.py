"""Limits how many requests a user may make: in fixed windows, which each API process counts by itself."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits import RateLimitItemPerSecond as PerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from typing_extensions import override

from core.text import Text, say
from core.user import User


@dataclass(frozen=True, slots=True)
class RateRules:
    """How many requests a user may make in each window."""

    per_10_seconds: int
    per_minute: int
    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the window with the least room leaves to a user."""

    limit: int
    """How many requests the window allows."""
    window: Text
    """Its length in words, such as 10 s."""
    remaining: int
    """How many more requests it allows."""
    reset: int
    """Seconds until it ends."""
    exceeded: bool
    """Whether the request is one too many."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The reply's headers, as OCP has them."""
        return (
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset)),
        )


class _Counters(MemoryStorage):
    """Counters that lapse by the monotonic clock, so that a window does not grow when somebody sets the time.

    The library's own counters go by the time of day. This class has only what fixed windows need.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic

    @override
    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        self._drop_lapsed()
        if key not in self.expirations:
            self.expirations[key] = self._monotonic() + expiry
        self.storage[key] += amount
        return self.storage[key]

    @override
    async def get(self, key: str) -> int:
        return self.storage[key] if self.expirations.get(key, 0.0) > self._monotonic() else 0

    @override
    async def get_expiry(self, key: str) -> float:
        """Return when a counter lapses, in seconds of the monotonic clock."""
        return self.expirations.get(key, self._monotonic())

    def _drop_lapsed(self) -> None:
        now = self._monotonic()
        for key in [key for key, end in self.expirations.items() if end <= now]:
            del self.expirations[key]
            del self.storage[key]


class RateLimiter:
    """Counts and limits the requests of users.

    Args:
        rules: how many are allowed.
        monotonic: the clock of the windows, in seconds.
    """

    def __init__(self, rules: RateRules, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._windows: tuple[tuple[RateLimitItem, Text], ...] = (
            (PerSecond(rules.per_10_seconds, 10), say("10 s")),
            (RateLimitItemPerMinute(rules.per_minute), say("1 min")),
            (RateLimitItemPerHour(rules.per_hour), say("1 h")),
            (RateLimitItemPerDay(rules.per_day), say("1 day")),
        )
        self._limiter = FixedWindowRateLimiter(_Counters(monotonic))
        self._monotonic = monotonic

    async def count(self, user: User) -> Allowance:
        """Count a request. One that a window refuses does not count in longer windows."""
        tightest: Allowance | None = None
        for item, window in self._windows:
            passes = await self._limiter.hit(item, str(user.id))
            reset_time, remaining = await self._limiter.get_window_stats(item, str(user.id))
            reset = max(1, math.ceil(reset_time - self._monotonic()))
            allowance = Allowance(item.amount, window, remaining if passes else 0, reset, exceeded=not passes)
            if not passes:
                return allowance
            if tightest is None or remaining < tightest.remaining:
                tightest = allowance
        if tightest is None:
            raise AssertionError("there are always windows")
        return tightest
