"""The routes of the agent of one host and its processes. A worker looks at the host while the client waits."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.agents import processes as processes_service
from app.agents.errand_client import errand_client_of
from app.agents.schemas import HostAgent, HostAgentProcess, HostAgentProcessPage
from app.agents.views import render_agent, render_process, render_processes
from app.auth.permission import HostChanger, HostReader
from app.context import context_of
from app.http.paging import PageParam, SizeParam, build_page
from app.http.parameters import MAX_ID, HostId, Whole
from app.http.reply import reply
from app.http.request_state import state_of
from app.openapi.operations import describe_operation
from core.agent import InspectedAgent
from core.errand import ErrandKind
from core.user import Permission

router = APIRouter(tags=["agents"])
ProcessId = Annotated[
    int,
    Path(alias="agentProcessId", ge=1, le=MAX_ID, description="1 agentd, 2 mgragent, 3 monagent"),
    Whole,
]
_ERRORS = (400, 404, 502)
_CHANGE = describe_operation(HostAgentProcess, Permission.HOST_CHANGE, *_ERRORS)

# Every path is there twice, as with the other requests about agents.
_AGENT = "/compute/hosts/{hostId}/agent"
_PROCESSES = f"{_AGENT}/processes"
_STOP = f"{_PROCESSES}/{{agentProcessId}}/stop"
_RESTART = f"{_PROCESSES}/{{agentProcessId}}/restart"


@router.get(
    f"/api/v2{_AGENT}",
    summary="Inspect the agent of one host",
    **describe_operation(HostAgent, Permission.HOST_READ, *_ERRORS),
)
@router.get(_AGENT, include_in_schema=False)
async def read_agent(request: Request, _user: HostReader, host_id: HostId) -> Response:
    return reply(request, render_agent(await _look(request, host_id)))


@router.get(
    f"/api/v2{_PROCESSES}",
    summary="Inspect the processes of the agent of one host",
    **describe_operation(HostAgentProcessPage, Permission.HOST_READ, *_ERRORS),
)
@router.get(_PROCESSES, include_in_schema=False)
async def page_processes(
    request: Request, _user: HostReader, host_id: HostId, page: PageParam = 1, size: SizeParam = 10
) -> Response:
    every = render_processes(await _look(request, host_id))
    return reply(request, build_page(every[(page - 1) * size : page * size], page, size, len(every)))


@router.post(f"/api/v2{_STOP}", summary="Stop one process of an agent and wait for it", **_CHANGE)
@router.post(_STOP, include_in_schema=False)
async def stop_process(request: Request, _user: HostChanger, host_id: HostId, process_id: ProcessId) -> Response:
    return await _change(request, ErrandKind.STOP, host_id, process_id)


@router.post(f"/api/v2{_RESTART}", summary="Restart one process of an agent and wait for it", **_CHANGE)
@router.post(_RESTART, include_in_schema=False)
async def restart_process(request: Request, _user: HostChanger, host_id: HostId, process_id: ProcessId) -> Response:
    return await _change(request, ErrandKind.RESTART, host_id, process_id)


async def _look(request: Request, host_id: int) -> InspectedAgent:
    errands, trace_id = errand_client_of(request), state_of(request).trace_id
    return await processes_service.look_at_agent(context_of(request), errands, host_id, trace_id)


async def _change(request: Request, kind: ErrandKind, host_id: int, process_id: int) -> Response:
    context, errands, trace_id = context_of(request), errand_client_of(request), state_of(request).trace_id
    target = processes_service.ProcessTarget(host_id, process_id)
    seen = await processes_service.change_process(context, errands, kind, target, trace_id)
    return reply(request, render_process(seen, processes_service.name_process(seen.host, process_id)))
