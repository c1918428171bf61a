"""Hosts: to look at them, and to stop their agents."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app import service
from app.auth.permission import HostChanger, HostReader
from app.documents.host import host_document
from app.documents.page import page_document
from app.documents.task import task_instance
from app.exchange import exchange_of
from app.fleet import fleet_of
from app.replies import reply
from app.routes.documented import HOST_IDS_BODY, documented
from app.routes.filters import NoFilters
from app.schemas import Host, HostPage, TaskInstance
from app.validation import LARGEST_PAGE, LONGEST_ID, HostIds, Whole
from core.user import Permission

router = APIRouter(tags=["hosts"])
_STOP = "/compute/hosts/batchStopAgents"


@router.post(
    f"/api/v2{_STOP}",
    summary="Stop the agents of many hosts, as one task",
    **documented(TaskInstance, Permission.HOST_CHANGE, 400, 404, 413, 415, body=HOST_IDS_BODY),
)
@router.post(_STOP, include_in_schema=False)  # the form in which OCP's own page prints the path
async def batch_stop_agents(request: Request, user: HostChanger, host_ids: HostIds) -> Response:
    task = await service.stop_agents(fleet_of(request), user, host_ids, exchange_of(request).trace_id)
    return reply(request, task_instance(task, host_ids))


@router.get(
    "/api/v2/compute/hosts",
    summary="List the hosts, in id order",
    **documented(HostPage, Permission.HOST_READ, 400),
)
async def page_hosts(
    request: Request,
    _user: HostReader,
    _filters: NoFilters,
    page: Annotated[int, Whole, Query(ge=1, le=LONGEST_ID // LARGEST_PAGE, description="from 1")] = 1,
    size: Annotated[int, Whole, Query(ge=1, le=LARGEST_PAGE, description="hosts a page")] = 10,
) -> Response:
    found = await service.page_hosts(fleet_of(request), page, size)
    return reply(request, page_document([host_document(host) for host in found.hosts], page, size, found.total))


@router.get(
    "/api/v2/compute/hosts/{hostId}",
    summary="Look at one host",
    **documented(Host, Permission.HOST_READ, 400, 404),
)
async def read_host(
    request: Request, _user: HostReader, host_id: Annotated[int, Whole, Path(alias="hostId", ge=1, le=LONGEST_ID)]
) -> Response:
    return reply(request, host_document(await service.read_host(fleet_of(request), host_id)))
