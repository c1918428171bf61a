"""Agents: to stop, restart and start them, on many hosts or on one. Each request becomes a task."""
# ruff: noqa: D103
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from app.agents import service as launch_service
from app.audit.recorder import acceptance, kept_with_task, note
from app.auth.permission import HostChanger
from app.brake.body import note_brake
from app.context import fleet_of
from app.hosts.host_ids import HostId, HostIds, Key
from app.http.reply import replayed, reply
from app.http.schemas import TaskInstance
from app.openapi.operations import HOST_IDS_BODY, documented
from app.tasks.views import task_instance
from core.task_types import TASK_TYPES
from core.user import Permission, User

router = APIRouter(tags=["agents"])
_ERRORS_OF_MANY = (400, 404, 409, 413, 415)
_ERRORS_OF_ONE = (400, 404, 409)
_MANY = documented(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_MANY, body=HOST_IDS_BODY)
_MANY_BEYOND = documented(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_MANY, body=HOST_IDS_BODY, beyond_ocp=True)
_ONE = documented(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_ONE)
_ONE_BEYOND = documented(TaskInstance, Permission.HOST_CHANGE, *_ERRORS_OF_ONE, beyond_ocp=True)

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
    return await _accepted(request, user, "batch_stop_agents", host_ids, key)


@router.post(f"/api/v2{_RESTART_MANY}", summary="Restart the agents of many hosts, as one task", **_MANY)
@router.post(_RESTART_MANY, include_in_schema=False)
async def batch_restart_agents(request: Request, user: HostChanger, host_ids: HostIds, key: Key = None) -> Response:
    return await _accepted(request, user, "batch_restart_agents", host_ids, key)


@router.post(f"/api/v2{_START_MANY}", summary="Start the agents of many hosts, as one task", **_MANY_BEYOND)
@router.post(_START_MANY, include_in_schema=False)
async def batch_start_agents(request: Request, user: HostChanger, host_ids: HostIds, key: Key = None) -> Response:
    return await _accepted(request, user, "batch_start_agents", host_ids, key)


@router.post(f"/api/v2{_STOP}", summary="Stop the agent of one host", **_ONE)
@router.post(_STOP, include_in_schema=False)
async def stop_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accepted(request, user, "stop_agent", (host_id,), key)


@router.post(f"/api/v2{_RESTART}", summary="Restart the agent of one host", **_ONE)
@router.post(_RESTART, include_in_schema=False)
async def restart_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accepted(request, user, "restart_agent", (host_id,), key)


@router.post(f"/api/v2{_START}", summary="Start the agent of one host", **_ONE_BEYOND)
@router.post(_START, include_in_schema=False)
async def start_agent(request: Request, user: HostChanger, host_id: HostId, key: Key = None) -> Response:
    return await _accepted(request, user, "start_agent", (host_id,), key)


async def _accepted(request: Request, user: User, slug: str, host_ids: Sequence[int], key: str | None) -> Response:
    entry = acceptance(request)
    accepted = await launch_service.accept(fleet_of(request), user, TASK_TYPES[slug], host_ids, entry, key)
    note(request, task_id=accepted.task.id)
    if accepted.in_audit:
        kept_with_task(request)
    note_brake(request, on=accepted.braked)
    return reply(request, task_instance(accepted.task, host_ids), headers=replayed(yes=accepted.replayed))
