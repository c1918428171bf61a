"""Waiting with a limit, and limits for what waits by itself."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TooLongError(Exception):
    """Something took longer than it may; the sentence says what."""


def until(condition: Callable[[], object], seconds: float, what: str, *, pause: float = 0.02) -> None:
    """Look until a condition is true.

    Raises:
        TooLongError: it was not within so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TooLongError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)


@contextmanager
def limited(seconds: float, what: str) -> Iterator[None]:
    """Break off what takes longer, wherever it is; in the main thread only.

    Raises:
        TooLongError: it did.
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
        if left:  # somebody else's limit goes on
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)))
