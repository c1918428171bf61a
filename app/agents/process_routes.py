"""The agent of one host and its processes: each answer comes from the host, while the client waits."""
# ruff: noqa: D103
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.agents import processes as agents_service
from app.agents.views import agent_document, process_document, process_documents
from app.auth.permission import HostChanger, HostReader
from app.context import fleet_of
from app.hosts.host_ids import LONGEST_ID, HostId, Whole
from app.hosts.schemas import HostAgent, HostAgentProcess, HostAgentProcessPage
from app.http.page import page_document
from app.http.paging import PageNumber, PageSize
from app.http.reply import reply
from app.http.request_state import exchange_of
from app.openapi.operations import documented
from core.errand import ErrandKind
from core.user import Permission

router = APIRouter(tags=["agents"])
ProcessId = Annotated[
    int,
    Path(alias="agentProcessId", ge=1, le=LONGEST_ID, description="1 agentd, 2 mgragent, 3 monagent"),
    Whole,
]
_LOOK = (400, 404, 502)
_CHANGE = documented(HostAgentProcess, Permission.HOST_CHANGE, *_LOOK)

# Every path is there twice, as with the other requests about agents.
_AGENT = "/compute/hosts/{hostId}/agent"
_PROCESSES = f"{_AGENT}/processes"
_STOP = f"{_PROCESSES}/{{agentProcessId}}/stop"
_RESTART = f"{_PROCESSES}/{{agentProcessId}}/restart"


@router.get(
    f"/api/v2{_AGENT}",
    summary="Look at the agent of one host",
    **documented(HostAgent, Permission.HOST_READ, *_LOOK),
)
@router.get(_AGENT, include_in_schema=False)
async def read_agent(request: Request, _user: HostReader, host_id: HostId) -> Response:
    seen = await agents_service.look_at_agent(fleet_of(request), host_id, exchange_of(request).trace_id)
    return reply(request, agent_document(seen))


@router.get(
    f"/api/v2{_PROCESSES}",
    summary="Look at the processes of the agent of one host",
    **documented(HostAgentProcessPage, Permission.HOST_READ, *_LOOK),
)
@router.get(_PROCESSES, include_in_schema=False)
async def page_processes(
    request: Request,
    _user: HostReader,
    host_id: HostId,
    page: PageNumber = 1,
    size: PageSize = 10,
) -> Response:
    seen = await agents_service.look_at_agent(fleet_of(request), host_id, exchange_of(request).trace_id)
    every = process_documents(seen)
    return reply(request, page_document(every[(page - 1) * size : page * size], page, size, len(every)))


@router.post(f"/api/v2{_STOP}", summary="Stop one process of an agent and wait for it", **_CHANGE)
@router.post(_STOP, include_in_schema=False)
async def stop_process(request: Request, _user: HostChanger, host_id: HostId, process_id: ProcessId) -> Response:
    return await _changed(request, ErrandKind.STOP, host_id, process_id)


@router.post(f"/api/v2{_RESTART}", summary="Restart one process of an agent and wait for it", **_CHANGE)
@router.post(_RESTART, include_in_schema=False)
async def restart_process(request: Request, _user: HostChanger, host_id: HostId, process_id: ProcessId) -> Response:
    return await _changed(request, ErrandKind.RESTART, host_id, process_id)


async def _changed(request: Request, kind: ErrandKind, host_id: int, process_id: int) -> Response:
    fleet, trace_id = fleet_of(request), exchange_of(request).trace_id
    seen = await agents_service.change_process(fleet, kind, host_id, process_id, trace_id)
    return reply(request, process_document(seen, agents_service.process_name(seen.host, process_id)))
