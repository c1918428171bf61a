"""Times and ids as OCP writes them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_MAX_EXACT: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly. Larger ids are written as strings."""
_FRACTIONS: Final = tuple(f".{millis:03}".rstrip("0") if millis else "" for millis in range(1000))


def format_time(millis: int) -> str:
    """Return a time, given in milliseconds since the epoch, as ISO-8601 in this machine's zone, with its offset.

    Trailing zeros of the fraction are left out, and so is a fraction of zero.
    """
    seconds, fraction = divmod(millis, 1000)
    text, offset = _format_second(seconds)
    return f"{text}{_FRACTIONS[fraction]}{offset}"


def format_seconds(millis: int) -> str:
    """Return a time as `format_time` does, in whole seconds: OCP's createTime and updateTime."""
    return "".join(_format_second(millis // 1000))


@lru_cache(maxsize=4096)
def _format_second(seconds: int) -> tuple[str, str]:
    text = datetime.fromtimestamp(seconds, tz=UTC).astimezone().isoformat(timespec="seconds")
    return text[:19], text[19:]


def format_id(number: int) -> int | str:
    """Return an id as JSON holds it: a string where a JSON reader might round it."""
    return number if -_MAX_EXACT <= number <= _MAX_EXACT else str(number)


def format_ids(numbers: range) -> list[int | str]:
    """Return consecutive ids as JSON holds them."""
    if numbers.stop <= _MAX_EXACT:
        return list(numbers)
    return [format_id(number) for number in numbers]
