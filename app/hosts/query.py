"""The parameters of OCP's host list: which hosts, in which order. What is not known is refused."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request

from app.hosts.host_ids import one_of
from app.http.paging import SORTS, list_of, refuse_unknown, rising, words_of
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
"""OCP's kinds of services. Of these ocpfleet knows the agent alone."""
_INCLUDED: Final = "includedServiceType"
_EXCLUDED: Final = "excludedServiceType"
_KNOWN: Final = ("status", "keyword", _INCLUDED, _EXCLUDED, "page", "size", "sort")
_LONGEST: Final = 128
_NONE: Final[frozenset[HostStatus]] = frozenset()


async def read_host_query(  # noqa: PLR0913, PLR0917 - as many as OCP has
    request: Request,
    status: Annotated[
        list[str] | None, list_of(HostStatus), Query(description=f"{', '.join(HostStatus)}; several with commas")
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
        list_of(_SERVICES),
        Query(alias=_INCLUDED, description=f"with one of these: {', '.join(_SERVICES)}"),
    ] = None,
    excluded: Annotated[
        list[str] | None, list_of(_SERVICES), Query(alias=_EXCLUDED, description="with none of these")
    ] = None,
    sort: Annotated[str, one_of(SORTS), Query(description="in rising or falling order of ids")] = "id,asc",
) -> HostQuery:
    """Read which hosts a request asks for.

    Raises:
        InvalidParameter: a parameter is not known, or holds what it cannot mean.
    """
    refuse_unknown(request, _KNOWN)
    statuses = words_of("status", status, tuple(HostStatus))
    wanted, unwanted = words_of(_INCLUDED, included, _SERVICES), words_of(_EXCLUDED, excluded, _SERVICES)
    with_agent = None if wanted is None else _AGENT in wanted
    impossible = with_agent is False
    if unwanted is not None and _AGENT in unwanted:
        impossible, with_agent = impossible or with_agent is True, False
    return HostQuery(
        statuses=_NONE if impossible else None if statuses is None else frozenset(map(HostStatus, statuses)),
        keyword=keyword or None,
        with_agent=with_agent,
        ascending=rising(sort),
    )


AskedHosts = Annotated[HostQuery, Depends(read_host_query)]
