"""Waiting for something to become true: with a limit, and with a sentence when it does not."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAUSE = 0.02  # seconds between two looks


def wait_until(condition: Callable[[], object], timeout: float, what: str, *, pause: float = PAUSE) -> None:
    """Look until the condition is true, every `pause` seconds.

    Raises:
        AssertionError: It was not within the timeout, in seconds; the message says what was waited for, and what the
            condition said last.
    """
    end = time.monotonic() + timeout
    while not (last := condition()):
        if time.monotonic() > end:
            raise AssertionError(_sentence(what, timeout, last))
        time.sleep(pause)


async def eventually(
    condition: Callable[[], object | Awaitable[object]],
    timeout: float,  # the sentence needs it
    what: str,
) -> None:
    """Look until the condition, which may be a coroutine function, is true; other tasks run in between.

    Raises:
        AssertionError: As for wait_until.
    """
    end = time.monotonic() + timeout
    while not (last := await _value(condition())):
        if time.monotonic() > end:
            raise AssertionError(_sentence(what, timeout, last))
        await asyncio.sleep(PAUSE)


async def _value(answer: object) -> object:
    return await answer if inspect.isawaitable(answer) else answer


def _sentence(what: str, timeout: float, last: object) -> str:
    return f"waited {timeout:g} s in vain until {what}; the last look gave {last!r}"
