"""Hosts: to look at them, to add and to delete them, to free one from a task, and to protect one from all."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from fastapi import APIRouter, Request, Response

from app.audit.recorder import note
from app.auth.permission import HoldChanger, HostChanger, HostReader, ProtectionChanger
from app.context import fleet_of
from app.hosts import add as adding_service
from app.hosts import protection as protection_service
from app.hosts import release as release_service
from app.hosts import service as hosts_service
from app.hosts.body import AddedHosts
from app.hosts.host_ids import HostId, HostIdList, Key
from app.hosts.query import AskedHosts
from app.hosts.schemas import NewHosts, PreparingTasks
from app.hosts.views import host_document
from app.http.page import page_document
from app.http.paging import PageNumber, PageSize
from app.http.reply import replayed, reply, reply_nothing
from app.http.request_state import exchange_of
from app.http.schemas import Host, HostPage
from app.openapi.operations import HOST_ID_LIST_BODY, documented, json_body
from app.tasks.views import task_instance
from core.user import Permission

router = APIRouter(prefix="/api/v2/compute/hosts", tags=["hosts"])


@router.get("", summary="List the hosts, in id order", **documented(HostPage, Permission.HOST_READ, 400))
async def page_hosts(
    request: Request,
    _user: HostReader,
    asked: AskedHosts,
    page: PageNumber = 1,
    size: PageSize = 10,
) -> Response:
    found = await hosts_service.page_hosts(fleet_of(request), page, size, asked)
    return reply(request, page_document([host_document(host) for host in found.items], page, size, found.total))


@router.get("/{hostId}", summary="Look at one host", **documented(Host, Permission.HOST_READ, 400, 404))
async def read_host(request: Request, _user: HostReader, host_id: HostId) -> Response:
    return reply(request, host_document(await hosts_service.read_host(fleet_of(request), host_id)))


@router.post(
    "/batchCreate",
    summary="Add hosts; each becomes a task that prepares it",
    **documented(PreparingTasks, Permission.HOST_CHANGE, 400, 409, 413, 415, body=json_body(NewHosts)),
)
async def create_hosts(request: Request, user: HostChanger, hosts: AddedHosts, key: Key = None) -> Response:
    added = await adding_service.add_hosts(fleet_of(request), user, hosts, exchange_of(request).trace_id, key)
    note(request, {"hostIds": added.host_ids, "taskIds": [task.id for task in added.tasks]})
    contents = [task_instance(task, (host_id,)) for task, host_id in zip(added.tasks, added.host_ids, strict=True)]
    return reply(request, {"contents": contents}, headers=replayed(yes=added.known))


@router.delete(
    "/{hostId}",
    summary="Delete one host",
    **documented(None, Permission.HOST_CHANGE, 400, 404),
)
async def delete_host(request: Request, _user: HostChanger, host_id: HostId) -> Response:
    await hosts_service.remove_host(fleet_of(request), host_id)
    return reply_nothing(request)


@router.post(
    "/batchDelete",
    summary="Delete hosts: all of them or none",
    **documented(None, Permission.HOST_CHANGE, 400, 404, 413, 415, body=HOST_ID_LIST_BODY),
)
async def delete_hosts(request: Request, _user: HostChanger, host_ids: HostIdList) -> Response:
    await hosts_service.remove_hosts(fleet_of(request), host_ids)
    return reply_nothing(request)


@router.post(
    "/{hostId}/release",
    summary="Free a host from the task that holds it",
    **documented(Host, Permission.HOLD_CHANGE, 400, 404, beyond_ocp=True),
)
async def release_host(request: Request, _user: HoldChanger, host_id: HostId) -> Response:
    host, holder = await release_service.release(fleet_of(request), host_id)
    note(request, task_id=holder)
    return reply(request, host_document(host))


@router.post(
    "/{hostId}/protection",
    summary="Protect a host: no request touches it until the protection is lifted",
    **documented(Host, Permission.PROTECTION_CHANGE, 400, 404, beyond_ocp=True),
)
async def protect_host(request: Request, _user: ProtectionChanger, host_id: HostId) -> Response:
    return reply(request, host_document(await protection_service.protect(fleet_of(request), host_id)))


@router.delete(
    "/{hostId}/protection",
    summary="Lift the protection of a host",
    **documented(Host, Permission.PROTECTION_CHANGE, 400, 404, beyond_ocp=True),
)
async def unprotect_host(request: Request, _user: ProtectionChanger, host_id: HostId) -> Response:
    return reply(request, host_document(await protection_service.unprotect(fleet_of(request), host_id)))
