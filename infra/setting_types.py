"""The types of settings that pydantic does not know: each checks a value and says how to write it."""

import re
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import AfterValidator, Field

DAY: Final = 24 * 3600
"""Seconds of a day."""


def _check_redis_url(url: str) -> str:
    if not re.match(r"^rediss?://[^/]|^sentinel://[^/]", url):
        raise ValueError(
            "write redis://[user:password@]host[:port]/db, rediss://… for TLS, or sentinel://host:port,…/name"
        )
    return url


def _check_absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("write an absolute path")
    return path.rstrip("/") or "/"


def _check_address(text: str) -> str:
    ip_address(text)
    return text


Seconds = Annotated[float, Field(gt=0, le=30 * DAY)]
Rate = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Requests in a window of time."""
RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
AbsolutePath = Annotated[str, AfterValidator(_check_absolute)]
Address = Annotated[str, AfterValidator(_check_address)]
"""An IP address to listen on."""
