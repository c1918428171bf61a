"""The header `Idempotency-Key`, with which a client makes the same request again without doing it twice."""

import re
from typing import Annotated, Final

from fastapi import Header
from pydantic import BeforeValidator, WithJsonSchema

from core.errors import KeyReused
from core.text import say

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def _require_key(text: object) -> object:
    """Accept only a key that can stand in a header and a log line as it is."""
    if isinstance(text, str) and not _KEY.fullmatch(text):
        raise ValueError(say("not a key. Write 1 to 255 printable ASCII characters without blanks, such as a UUID"))
    return text


Key = Annotated[
    str | None,
    BeforeValidator(_require_key),
    WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
    Header(
        alias="Idempotency-Key",
        description="the client's key for the request: within 24 hours the same key gives the same task, not a new one",
    ),
]
"""A client's key for its request; None where it gave none."""


def refuse_reused_key(key: str | None) -> KeyReused:
    """Return the error of a key that stands for another request."""
    return KeyReused(
        say(
            "Idempotency-Key: {key} belongs to another request that you made in the last 24 hours. Use a new key for "
            "a new request.",
            key=key,
        )
    )


def build_replay_headers(*, is_replay: bool) -> dict[str, str] | None:
    """Return the headers of a reply to a request with a key: whether it only repeats what was done before."""
    return {"Idempotency-Replayed": "true"} if is_replay else None
