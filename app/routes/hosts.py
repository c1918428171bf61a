"""Hosts: to look at them, and to free one from a task."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.audit import note
from app.auth.permission import HoldChanger, HostReader
from app.documents.host import host_document
from app.documents.page import page_document
from app.fleet import fleet_of
from app.replies import reply
from app.routes.documented import documented
from app.routes.filters import NoFilters
from app.schemas import Host, HostPage
from app.service import hosts as hosts_service
from app.service import release as release_service
from app.validation import LARGEST_PAGE, LONGEST_ID, HostId, Whole
from core.user import Permission

router = APIRouter(tags=["hosts"])


@router.get(
    "/api/v2/compute/hosts",
    summary="List the hosts, in id order",
    **documented(HostPage, Permission.HOST_READ, 400),
)
async def page_hosts(
    request: Request,
    _user: HostReader,
    _filters: NoFilters,
    page: Annotated[int, Query(ge=1, le=LONGEST_ID // LARGEST_PAGE, description="from 1"), Whole] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="hosts a page"), Whole] = 10,
) -> Response:
    found = await hosts_service.page_hosts(fleet_of(request), page, size)
    return reply(request, page_document([host_document(host) for host in found.hosts], page, size, found.total))


@router.get(
    "/api/v2/compute/hosts/{hostId}",
    summary="Look at one host",
    **documented(Host, Permission.HOST_READ, 400, 404),
)
async def read_host(request: Request, _user: HostReader, host_id: HostId) -> Response:
    return reply(request, host_document(await hosts_service.read_host(fleet_of(request), host_id)))


@router.post(
    "/api/v2/compute/hosts/{hostId}/release",
    summary="Free a host from the task that holds it",
    **documented(Host, Permission.HOLD_CHANGE, 400, 404, beyond_ocp=True),
)
async def release_host(request: Request, _user: HoldChanger, host_id: HostId) -> Response:
    host, holder = await release_service.release(fleet_of(request), host_id)
    note(request, task_id=holder)
    return reply(request, host_document(host))
