"""The routes of the fleet's brake. While it is on, no new work starts on any host. OCP has no such routes."""

from fastapi import APIRouter, Request, Response

from app.auth.permission import BrakeChanger, TaskReader
from app.brake import service as brake_service
from app.brake.body import REASON_BODY, Reason
from app.brake.schemas import Brake, ReleasedBrake
from app.brake.views import render_brake
from app.context import context_of
from app.http.reply import reply
from app.http.request_state import note
from app.openapi.operations import describe_operation
from core.user import Permission

router = APIRouter(prefix="/api/v2/fleet/brake", tags=["brake"])


@router.get(
    "",
    summary="See whether the fleet's brake is on",
    **describe_operation(Brake, Permission.TASK_READ, beyond_ocp=True),
)
async def read_brake(request: Request, _user: TaskReader) -> Response:
    return reply(request, render_brake(await brake_service.read_brake(context_of(request))))


@router.post(
    "",
    summary="Pull the fleet's brake: no new work starts on any host until it is released",
    **describe_operation(Brake, Permission.BRAKE_CHANGE, 400, 413, 415, body=REASON_BODY, beyond_ocp=True),
)
async def pull_brake(request: Request, user: BrakeChanger, reason: Reason) -> Response:
    return reply(request, render_brake(await brake_service.pull_brake(context_of(request), user.name, reason)))


@router.delete(
    "",
    summary="Release the fleet's brake: waiting tasks go on",
    **describe_operation(ReleasedBrake, Permission.BRAKE_CHANGE, beyond_ocp=True),
)
async def release_brake(request: Request, _user: BrakeChanger) -> Response:
    was, republished = await brake_service.release_brake(context_of(request))
    note(request, {"pulledBy": was.by, "reason": was.reason} if was else {})
    return reply(request, render_brake(None) | {"republished": republished})
