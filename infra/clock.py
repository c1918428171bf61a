"""The clock whose times records and replies show. Nothing is decided by it."""

import time


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
