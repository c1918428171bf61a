"""What lists take: which page, in which order, words that commas part, and nothing that is not known."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import WithJsonSchema

from app.hosts.host_ids import LARGEST_PAGE, LONGEST_ID, Whole
from app.http.errors import InvalidParameter
from core.text import say

PageNumber = Annotated[int, Query(ge=1, le=LONGEST_ID // LARGEST_PAGE, description="from 1"), Whole]
PageSize = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="entries a page"), Whole]
SORTS: Final = {"id": True, "id,asc": True, "id,desc": False}
"""How a list can be sorted, and whether that is in rising order."""
_SHOWN: Final = 80


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Refuse a request with a parameter that its list does not have.

    Raises:
        InvalidParameter: naming it, and those that there are.
    """
    for given, value in request.query_params.items():
        if given not in known:
            name = given[:_SHOWN]
            sentence = say(
                "{name}: this list cannot be filtered by it. There are {known}.", name=name, known=", ".join(known)
            )
            raise InvalidParameter(name, value, sentence)


def rising(sort: str) -> bool:
    """Return whether a list is wanted in rising order.

    Raises:
        InvalidParameter: it is wanted in an order that no list has.
    """
    if sort not in SORTS:
        raise InvalidParameter("sort", sort, say("sort: this list is in id order. Write id,asc or id,desc."))
    return SORTS[sort]


def list_of(words: Iterable[str]) -> WithJsonSchema:
    """Return what the document says of a list that may be given several times, and with commas."""
    word = "|".join(words)
    return WithJsonSchema(
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^({word})(,({word}))*$"}}
    )


def words_of(name: str, given: Iterable[str] | None, known: Iterable[str]) -> frozenset[str] | None:
    """Return the words of a parameter, which commas part and which may be given several times; None where it is not.

    Raises:
        InvalidParameter: one of them is not known.
    """
    if given is None:
        return None
    words = [word for text in given for word in text.split(",")]
    for word in words:
        if word not in known:
            sentence = say(
                "{name}: {word!r} is none. Write {known}, several with commas.",
                name=name,
                word=word[:_SHOWN],
                known=", ".join(known),
            )
            raise InvalidParameter(name, ",".join(given), sentence)
    return frozenset(words)
