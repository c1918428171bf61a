"""Waits with a time limit, and time limits for any code."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TooLongError(Exception):
    """Something took too long; the message says what."""


def wait_until(condition: Callable[[], object], seconds: float, what: str, *, pause: float = 0.02) -> None:
    """Poll a condition until it is true.

    Args:
        condition: the condition.
        seconds: the time limit.
        what: completes "waited in vain until …" in the error message.
        pause: seconds between two polls.

    Raises:
        TooLongError: the condition did not become true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TooLongError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)


@contextmanager
def limit_time(seconds: float, what: str) -> Iterator[None]:
    """Break off the code in the context when it takes too long. Works in the main thread only.

    Raises:
        TooLongError: it took too long.
    """

    def ring(*_: object) -> None:
        raise TooLongError(f"{what} took longer than {seconds:g} s and was broken off")

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # restore the limit that was set before
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)))
