"""Pages of lists: the query parameters that lists share, and the document of a page."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import WithJsonSchema

from app.http.errors import InvalidParameter
from app.http.parameters import MAX_ID, Whole
from core.text import say

MAX_PAGE_SIZE: Final = 2000
"""How many entries a page of any list may have."""
PageParam = Annotated[int, Query(ge=1, le=MAX_ID // MAX_PAGE_SIZE, description="from 1"), Whole]
SizeParam = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="entries a page"), Whole]
SORTS: Final = {"id": True, "id,asc": True, "id,desc": False}
"""How a list can be sorted, and whether that is in ascending order."""
_MAX_SHOWN: Final = 80


def build_page(contents: Sequence[object], number: int, size: int, total: int) -> dict[str, object]:
    """Return a page of a list.

    Args:
        contents: the entries of the page.
        number: which page it is, from 1.
        size: how many entries a page has.
        total: how many entries the list has.
    """
    page = {"number": number, "size": size, "totalElements": total, "totalPages": -(-total // size)}
    return {"contents": contents, "page": page}


def refuse_unknown_parameters(request: Request, known: Iterable[str]) -> None:
    """Check that a request has only parameters that its list knows.

    Raises:
        InvalidParameter: it has another one.
    """
    for given, value in request.query_params.items():
        if given not in known:
            name = given[:_MAX_SHOWN]
            sentence = say(
                "{name}: this list has no such parameter. It has {known}.", name=name, known=", ".join(known)
            )
            raise InvalidParameter(name, value, sentence)


def parse_sort(sort: str) -> bool:
    """Return whether a list is to be in ascending order.

    Raises:
        InvalidParameter: lists have no such order.
    """
    if sort not in SORTS:
        raise InvalidParameter("sort", sort, say("sort: lists are sorted by id. Write id,asc or id,desc."))
    return SORTS[sort]


def describe_words(words: Iterable[str]) -> WithJsonSchema:
    """Return what the OpenAPI document says of a parameter that `split_words` reads."""
    word = "|".join(words)
    return WithJsonSchema(
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^({word})(,({word}))*$"}}
    )


def split_words(name: str, given: Iterable[str] | None, known: Iterable[str]) -> frozenset[str] | None:
    """Return the words of a parameter that may be given several times, each time with several words and commas.

    None where the parameter is not given.

    Raises:
        InvalidParameter: a word is not known.
    """
    if given is None:
        return None
    words = [word for text in given for word in text.split(",")]
    for word in words:
        if word not in known:
            sentence = say(
                "{name}: {word!r} is not a valid value. Write {known}, several with commas.",
                name=name,
                word=word[:_MAX_SHOWN],
                known=", ".join(known),
            )
            raise InvalidParameter(name, ",".join(given), sentence)
    return frozenset(words)
