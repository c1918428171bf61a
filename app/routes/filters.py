"""The parameters of OCP's host list that are not built yet: refused, since an ignored filter names wrong hosts."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request

from app.errors import InvalidParameter
from app.validation import one_of
from core.words import say

_ABSENT: Final = ("status", "keyword", "includedServiceType", "excludedServiceType")
_SORTS: Final = ("id", "id,asc")


async def refuse_filters(
    request: Request,
    sort: Annotated[str, one_of(_SORTS), Query(description="in id order, which is the only one")] = "id",
) -> None:
    """Let only lists pass that are given as they are asked for.

    Raises:
        InvalidParameter: the request asks for a filter or an order that does not exist here.
    """
    query = request.query_params
    for name in _ABSENT:
        if name in query:
            sentence = say("{name}: hosts cannot be filtered by it yet. Leave it out.", name=name)
            raise InvalidParameter(name, query[name], sentence)
    if sort not in _SORTS:
        sentence = say("sort: hosts are listed in id order only. Leave it out or write id,asc.")
        raise InvalidParameter("sort", sort, sentence)


NoFilters = Annotated[None, Depends(refuse_filters)]
