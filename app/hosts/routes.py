"""The routes that list, add, delete, free and protect hosts."""

from fastapi import APIRouter, Request, Response

from app.auth.permission import HoldChanger, HostChanger, HostReader, ProtectionChanger
from app.context import context_of
from app.hosts import add as adding_service
from app.hosts import protection as protection_service
from app.hosts import release as release_service
from app.hosts import service as hosts_service
from app.hosts.add import AddRequest
from app.hosts.body import AddedHosts
from app.hosts.host_ids import HOST_ID_LIST_BODY, HostIdList
from app.hosts.new_hosts import NewHosts
from app.hosts.query import QueriedHosts
from app.hosts.schemas import Host, HostPage, PreparingTasks
from app.hosts.views import render_host
from app.http.idempotency import Key, build_replay_headers
from app.http.paging import PageParam, SizeParam, build_page
from app.http.parameters import HostId
from app.http.reply import reply, reply_nothing
from app.http.request_state import note, state_of
from app.openapi.operations import describe_body, describe_operation
from app.tasks.outbox import outbox_of
from app.tasks.views import render_new_task
from core.user import Permission

router = APIRouter(prefix="/api/v2/compute/hosts", tags=["hosts"])


@router.get("", summary="List the hosts, in id order", **describe_operation(HostPage, Permission.HOST_READ, 400))
async def page_hosts(
    request: Request,
    _user: HostReader,
    query: QueriedHosts,
    page: PageParam = 1,
    size: SizeParam = 10,
) -> Response:
    found = await hosts_service.page_hosts(context_of(request), page, size, query)
    return reply(request, build_page([render_host(host) for host in found.items], page, size, found.total))


@router.get("/{hostId}", summary="Read one host", **describe_operation(Host, Permission.HOST_READ, 400, 404))
async def read_host(request: Request, _user: HostReader, host_id: HostId) -> Response:
    return reply(request, render_host(await hosts_service.read_host(context_of(request), host_id)))


@router.post(
    "/batchCreate",
    summary="Add hosts, each with a task that prepares it",
    **describe_operation(PreparingTasks, Permission.HOST_CHANGE, 400, 409, 413, 415, body=describe_body(NewHosts)),
)
async def create_hosts(request: Request, user: HostChanger, hosts: AddedHosts, key: Key = None) -> Response:
    wish = AddRequest(user, hosts, state_of(request).trace_id, key)
    added = await adding_service.add_hosts(context_of(request), outbox_of(request), wish)
    note(request, {"hostIds": added.host_ids, "taskIds": [task.id for task in added.tasks]})
    contents = [render_new_task(task, (host_id,)) for task, host_id in zip(added.tasks, added.host_ids, strict=True)]
    return reply(request, {"contents": contents}, headers=build_replay_headers(is_replay=added.known))


@router.delete(
    "/{hostId}",
    summary="Delete one host",
    **describe_operation(None, Permission.HOST_CHANGE, 400, 404),
)
async def delete_host(request: Request, _user: HostChanger, host_id: HostId) -> Response:
    await hosts_service.remove_host(context_of(request), host_id)
    return reply_nothing(request)


@router.post(
    "/batchDelete",
    summary="Delete hosts: all of them or none",
    **describe_operation(None, Permission.HOST_CHANGE, 400, 404, 413, 415, body=HOST_ID_LIST_BODY),
)
async def delete_hosts(request: Request, _user: HostChanger, host_ids: HostIdList) -> Response:
    await hosts_service.remove_hosts(context_of(request), host_ids)
    return reply_nothing(request)


@router.post(
    "/{hostId}/release",
    summary="Free a host from the task that holds it",
    **describe_operation(Host, Permission.HOLD_CHANGE, 400, 404, beyond_ocp=True),
)
async def release_host(request: Request, _user: HoldChanger, host_id: HostId) -> Response:
    host, holder = await release_service.free_host(context_of(request), host_id)
    note(request, task_id=holder)
    return reply(request, render_host(host))


@router.post(
    "/{hostId}/protection",
    summary="Protect a host from all requests until the protection is lifted",
    **describe_operation(Host, Permission.PROTECTION_CHANGE, 400, 404, beyond_ocp=True),
)
async def protect_host(request: Request, _user: ProtectionChanger, host_id: HostId) -> Response:
    return reply(request, render_host(await protection_service.protect(context_of(request), host_id)))


@router.delete(
    "/{hostId}/protection",
    summary="Lift the protection of a host",
    **describe_operation(Host, Permission.PROTECTION_CHANGE, 400, 404, beyond_ocp=True),
)
async def unprotect_host(request: Request, _user: ProtectionChanger, host_id: HostId) -> Response:
    return reply(request, render_host(await protection_service.unprotect(context_of(request), host_id)))
