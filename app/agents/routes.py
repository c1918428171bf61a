"""The routes that stop, restart and start agents, on many hosts or on one. Each request becomes a task."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from app.agents import service as agents_service
from app.agents.service import TaskRequest
from app.audit.recorder import build_acceptance_entry, mark_kept_with_task
from app.auth.permission import HostChanger
from app.brake.header import add_brake_header
from app.context import context_of
from app.hosts.host_ids import HOST_IDS_BODY, HostIds
from app.http.idempotency import Key, build_replay_headers
from app.http.parameters import HostId
from app.http.reply import reply
from app.http.request_state import note
from app.openapi.operations import describe_operation
from app.tasks.outbox import outbox_of
from app.tasks.schemas import TaskInstance
from app.tasks.views import render_new_task
from core.task_types import TASK_TYPES
from core.user import Permission, User

router = APIRouter(tags=["agents"])
_ERRORS_OF_MANY = (400, 404, 409, 413, 415)
_ERRORS_OF_ONE = (400, 404, 409)
_MANY = describe_operation(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_MANY, body=HOST_IDS_BODY)
_MANY_BEYOND = describe_operation(
    TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_MANY, body=HOST_IDS_BODY, beyond_ocp=True
)
_ONE = describe_operation(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_ONE)
_ONE_BEYOND = describe_operation(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_ONE, beyond_ocp=True)

# Every path is there twice: OCP's own pages print it without its prefix.
_STOP_MANY = "/compute/hosts/batchStopAgents"
_RESTART_MANY = "/compute/hosts/batchRestartAgents"
_START_MANY = "/compute/hosts/batchStartAgents"
_STOP = "/compute/hosts/{hostId}/agent/stop"
_RESTART = "/compute/hosts/{hostId}/agent/restart"
_START = "/compute/hosts/{hostId}/agent/start"


@router.post(f"/api/v2{_STOP_MANY}", summary="Stop the agents of many hosts, as one task", **_MANY)
@router.post(_STOP_MANY, include_in_schema=False)
async def batch_stop_agents(request: Request, user: HostChanger, host_ids: HostIds, key: Key = None) -> Response:
    return await _accept(request, user, "batch_stop_agents", host_ids, key)


@router.post(f"/api/v2{_RESTART_MANY}", summary="Restart the agents of many hosts, as one task", **_MANY)
@router.post(_RESTART_MANY, include_in_schema=False)
async def batch_restart_agents(request: Request, user: HostChanger, host_ids: HostIds, key: Key = None) -> Response:
    return await _accept(request, user, "batch_restart_agents", host_ids, key)


@router.post(f"/api/v2{_START_MANY}", summary="Start the agents of many hosts, as one task", **_MANY_BEYOND)
@router.post(_START_MANY, include_in_schema=False)
async def batch_start_agents(request: Request, user: HostChanger, host_ids: HostIds, key: Key = None) -> Response:
    return await _accept(request, user, "batch_start_agents", host_ids, key)


@router.post(f"/api/v2{_STOP}", summary="Stop the agent of one host", **_ONE)
@router.post(_STOP, include_in_schema=False)
async def stop_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accept(request, user, "stop_agent", (host_id,), key)


@router.post(f"/api/v2{_RESTART}", summary="Restart the agent of one host", **_ONE)
@router.post(_RESTART, include_in_schema=False)
async def restart_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accept(request, user, "restart_agent", (host_id,), key)


@router.post(f"/api/v2{_START}", summary="Start the agent of one host", **_ONE_BEYOND)
@router.post(_START, include_in_schema=False)
async def start_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accept(request, user, "start_agent", (host_id,), key)


async def _accept(request: Request, user: User, slug: str, host_ids: Sequence[int], key: str | None) -> Response:
    wish = TaskRequest(user, TASK_TYPES[slug], tuple(host_ids), key)
    entry = build_acceptance_entry(request)
    accepted = await agents_service.accept(context_of(request), outbox_of(request), wish, entry)
    note(request, task_id=accepted.task.id)
    if accepted.in_audit:
        mark_kept_with_task(request)
    add_brake_header(request, is_on=accepted.is_braked)
    document = render_new_task(accepted.task, host_ids)
    return reply(request, document, build_replay_headers(is_replay=accepted.is_replay))
