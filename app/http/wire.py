"""Times and numbers the way OCP writes them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_SAFE: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact; ids beyond it are written as strings."""
_FRACTIONS: Final = tuple(f".{millis:03}".rstrip("0") if millis else "" for millis in range(1000))


def stamp(millis: int) -> str:
    """Return a time, given in milliseconds since the epoch, as ISO-8601 in this machine's zone, with its offset.

    Trailing zeros of the fraction are left out, and so is a fraction of zero.
    """
    seconds, fraction = divmod(millis, 1000)
    text, offset = _second(seconds)
    return f"{text}{_FRACTIONS[fraction]}{offset}"


def stamp_seconds(millis: int) -> str:
    """Return a time as `stamp` does, in whole seconds: OCP's createTime and updateTime."""
    return "".join(_second(millis // 1000))


@lru_cache(maxsize=4096)
def _second(seconds: int) -> tuple[str, str]:
    text = datetime.fromtimestamp(seconds, tz=UTC).astimezone().isoformat(timespec="seconds")
    return text[:19], text[19:]


def long(number: int) -> int | str:
    """Return an id as it is written: a string where a JSON reader might round it."""
    return number if -_SAFE <= number <= _SAFE else str(number)


def longs(numbers: range) -> list[int | str]:
    """Return consecutive ids as they are written."""
    if numbers.stop <= _SAFE:
        return list(numbers)
    return [long(number) for number in numbers]
