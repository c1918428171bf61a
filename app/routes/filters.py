"""The parameters of OCP's host list: which hosts, in which order. What is not known is refused."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema

from app.errors import InvalidParameter
from app.validation import one_of
from core.host import HostStatus
from core.words import say
from infra.store.base import HostQuery

_SORTS: Final = {"id": True, "id,asc": True, "id,desc": False}
_AGENT: Final = "OCP_AGENT"
_SERVICES: Final = (
    "OB_CLUSTER",
    "OB_PROXY",
    _AGENT,
    "BACKUP_AGENT",
    "RESTORE_AGENT",
    "BACKUP_RESTORE_AGENT",
    "OMS",
)
"""OCP's kinds of services. Of these ocpfleet knows the agent alone."""
_INCLUDED: Final = "includedServiceType"
_EXCLUDED: Final = "excludedServiceType"
_KNOWN: Final = ("status", "keyword", _INCLUDED, _EXCLUDED, "page", "size", "sort")
_LONGEST: Final = 128
_SHOWN: Final = 80
_NONE: Final[frozenset[HostStatus]] = frozenset()


def _list_of(words: Iterable[str]) -> WithJsonSchema:
    """Return what the document says of a list that may be given several times, and with commas."""
    word = "|".join(words)
    return WithJsonSchema(
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^({word})(,({word}))*$"}}
    )


async def read_host_query(  # noqa: PLR0913, PLR0917 - as many as OCP has
    request: Request,
    status: Annotated[
        list[str] | None, _list_of(HostStatus), Query(description=f"{', '.join(HostStatus)}; several with commas")
    ] = None,
    keyword: Annotated[
        str | None,
        Query(
            max_length=_LONGEST,
            description="hosts with this in their alias, address, description or serial number, in whatever case",
        ),
    ] = None,
    included: Annotated[
        list[str] | None,
        _list_of(_SERVICES),
        Query(alias=_INCLUDED, description=f"with one of these: {', '.join(_SERVICES)}"),
    ] = None,
    excluded: Annotated[
        list[str] | None, _list_of(_SERVICES), Query(alias=_EXCLUDED, description="with none of these")
    ] = None,
    sort: Annotated[str, one_of(_SORTS), Query(description="in rising or falling order of ids")] = "id,asc",
) -> HostQuery:
    """Read which hosts a request asks for.

    Raises:
        InvalidParameter: a parameter is not known, or holds what it cannot mean.
    """
    for given, value in request.query_params.items():
        if given not in _KNOWN:
            sentence = say(
                "{name}: hosts cannot be filtered by it. There are {known}.",
                name=given[:_SHOWN],
                known=", ".join(_KNOWN),
            )
            raise InvalidParameter(given[:_SHOWN], value, sentence)
    if sort not in _SORTS:
        sentence = say("sort: hosts are listed in id order only. Write id,asc or id,desc.")
        raise InvalidParameter("sort", sort, sentence)
    statuses = _words("status", status, tuple(HostStatus))
    wanted, unwanted = _words(_INCLUDED, included, _SERVICES), _words(_EXCLUDED, excluded, _SERVICES)
    with_agent = None if wanted is None else _AGENT in wanted
    impossible = with_agent is False
    if unwanted is not None and _AGENT in unwanted:
        impossible, with_agent = impossible or with_agent is True, False
    return HostQuery(
        statuses=_NONE if impossible else None if statuses is None else frozenset(map(HostStatus, statuses)),
        keyword=keyword or None,
        with_agent=with_agent,
        ascending=_SORTS[sort],
    )


AskedHosts = Annotated[HostQuery, Depends(read_host_query)]


def _words(name: str, given: Iterable[str] | None, known: Iterable[str]) -> frozenset[str] | None:
    """Return the words of a list, which commas part and which may be given several times; None where it is not."""
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
