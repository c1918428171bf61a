"""Types of parameters that several routes take: whole numbers, choices, a host's id."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Path
from pydantic import BeforeValidator, WithJsonSchema

from core.text import say

MAX_ID: Final = 2**63 - 1
"""The largest id."""
_MAX_DIGITS: Final = 80


def _require_digits(text: object) -> object:
    """Accept only plain decimal digits, which is less than pydantic takes for a number."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise ValueError(say("not a whole number. Write decimal digits, such as 1001"))
    return text


Whole = BeforeValidator(_require_digits)
"""Makes a parameter of the path or the query take whole numbers only. It comes last, after the limits of the number:
before them it would hide them from the OpenAPI document."""


def describe_choice(values: Iterable[str]) -> WithJsonSchema:
    """Return what the OpenAPI document says of a parameter that takes one of some texts. It refuses no others."""
    return WithJsonSchema({"type": "string", "enum": [*values]})


HostId = Annotated[int, Path(alias="hostId", ge=1, le=MAX_ID, description="the host"), Whole]
"""The host that a path names."""
