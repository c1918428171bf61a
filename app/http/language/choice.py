"""Chooses the language that a client prefers (RFC 9110, Accept-Language; ranges as in RFC 4647)."""

import re
from enum import StrEnum
from typing import Final

from starlette.requests import Request

_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_MAX_RANGES: Final = 32
"""How many ranges of a header are read."""


class Language(StrEnum):
    """A language of error messages, named as in OCP."""

    ENGLISH = "en-US"
    """The default."""
    CHINESE = "zh-CN"
    """Simplified Chinese. It also answers requests for other kinds of Chinese."""


def choose_language(header: str) -> Language:
    """Return the language that an Accept-Language header prefers; English where it names none of ours.

    The first subtag of a range names the language, so `zh`, `zh-Hans-CN` and `zh-CN` are all Chinese. The range with
    the highest q wins. Among equals the first one wins. Anything that is not a range is ignored.
    """
    best, chosen = 0.0, Language.ENGLISH
    weights = _read_weights(header)
    for primary, weight in weights.items():
        for language in Language:
            named = language.partition("-")[0]
            if weight > best and (primary == named or (primary == "*" and named not in weights)):
                best, chosen = weight, language
    return chosen


def language_of(request: Request) -> Language:
    """Return the language that the client of a request prefers."""
    return choose_language(",".join(request.headers.getlist("accept-language")))


def _read_weights(header: str) -> dict[str, float]:
    """Return the q of each first subtag, in the order of the header. Of a repeated subtag the higher q counts."""
    weights: dict[str, float] = {}
    for text in header.split(",")[:_MAX_RANGES]:
        found = _RANGE.fullmatch(text)
        if found is not None:
            primary = found[1].partition("-")[0].lower()
            weights[primary] = max(weights.get(primary, 0.0), float(found[2] or 1))
    return weights
