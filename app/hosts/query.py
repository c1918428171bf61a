"""The query parameters of the list of hosts: which hosts, in which order. Unknown ones are refused."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request

from app.http.paging import SORTS, describe_words, parse_sort, refuse_unknown_parameters, split_words
from app.http.parameters import describe_choice
from core.host import HostStatus
from infra.store.host_values import HostQuery

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
"""OCP's kinds of services. ocpfleet knows only the agent."""
_INCLUDED: Final = "includedServiceType"
_EXCLUDED: Final = "excludedServiceType"
_KNOWN: Final = ("status", "keyword", _INCLUDED, _EXCLUDED, "page", "size", "sort")
_MAX_KEYWORD_LENGTH: Final = 128
_NONE: Final[frozenset[HostStatus]] = frozenset()


async def read_host_query(  # noqa: PLR0913, PLR0917 - as many as OCP has
    request: Request,
    status: Annotated[
        list[str] | None, describe_words(HostStatus), Query(description=f"{', '.join(HostStatus)}; several with commas")
    ] = None,
    keyword: Annotated[
        str | None,
        Query(
            max_length=_MAX_KEYWORD_LENGTH,
            description="hosts with this text in their alias, address, description or serial number, ignoring case",
        ),
    ] = None,
    included: Annotated[
        list[str] | None,
        describe_words(_SERVICES),
        Query(alias=_INCLUDED, description=f"with one of these: {', '.join(_SERVICES)}"),
    ] = None,
    excluded: Annotated[
        list[str] | None, describe_words(_SERVICES), Query(alias=_EXCLUDED, description="with none of these")
    ] = None,
    sort: Annotated[str, describe_choice(SORTS), Query(description="id,asc (ascending) or id,desc")] = "id,asc",
) -> HostQuery:
    """Read which hosts a request queries.

    Raises:
        InvalidParameter: a parameter is unknown or invalid.
    """
    refuse_unknown_parameters(request, _KNOWN)
    statuses = split_words("status", status, tuple(HostStatus))
    wanted, unwanted = split_words(_INCLUDED, included, _SERVICES), split_words(_EXCLUDED, excluded, _SERVICES)
    with_agent = None if wanted is None else _AGENT in wanted
    impossible = with_agent is False
    if unwanted is not None and _AGENT in unwanted:
        impossible, with_agent = impossible or with_agent is True, False
    return HostQuery(
        statuses=_NONE if impossible else None if statuses is None else frozenset(map(HostStatus, statuses)),
        keyword=keyword or None,
        with_agent=with_agent,
        ascending=parse_sort(sort),
    )


QueriedHosts = Annotated[HostQuery, Depends(read_host_query)]
