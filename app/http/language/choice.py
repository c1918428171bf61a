"""Which of our languages a client would rather read (RFC 9110, Accept-Language; ranges as in RFC 4647)."""

import re
from enum import StrEnum
from typing import Final

from starlette.requests import Request

_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_MOST: Final = 32
"""So many ranges of a header are looked at."""


class Language(StrEnum):
    """A language that error messages come in, called as OCP calls it."""

    ENGLISH = "en-US"
    """The default."""
    CHINESE = "zh-CN"
    """Simplified Chinese; also for whoever asks for any other Chinese."""


def preferred(header: str) -> Language:
    """Return the language that an Accept-Language header prefers; English where it names none that we have.

    A range stands for a language when its first subtag does, so `zh`, `zh-Hans-CN` and `zh-CN` are all Chinese. Of
    several the one with the highest q counts. Equal ones are taken in the order of the header, and what is no range is
    passed over.
    """
    best, chosen = 0.0, Language.ENGLISH
    weights = _weights(header)
    for primary, weight in weights.items():
        for language in Language:
            named = language.partition("-")[0]
            if weight > best and (primary == named or (primary == "*" and named not in weights)):
                best, chosen = weight, language
    return chosen


def language_of(request: Request) -> Language:
    """Return the language that the client of a request prefers."""
    return preferred(",".join(request.headers.getlist("accept-language")))


def _weights(header: str) -> dict[str, float]:
    """Return the q of each first subtag, in the order of the header; of one that comes twice the higher one."""
    weights: dict[str, float] = {}
    for text in header.split(",")[:_MOST]:
        found = _RANGE.fullmatch(text)
        if found is not None:
            primary = found[1].partition("-")[0].lower()
            weights[primary] = max(weights.get(primary, 0.0), float(found[2] or 1))
    return weights
