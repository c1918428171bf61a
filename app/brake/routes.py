"""The fleet's brake: while it is on nothing new is begun on any host. Beyond OCP."""
# ruff: noqa: D103
# A route's summary is its docstring.

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.audit.recorder import note
from app.auth.permission import BrakeChanger, TaskReader
from app.brake import service as brake_service
from app.brake.body import Reason
from app.brake.views import brake_document
from app.context import fleet_of
from app.http.reply import reply
from app.iam.schemas import Brake, ReleasedBrake
from app.openapi.operations import documented
from core.user import Permission

router = APIRouter(prefix="/api/v2/fleet/brake", tags=["brake"])
_REASON: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": brake_service.LONGEST,
    "pattern": f"^{brake_service.ONE_LINE}$",
    "description": "why nothing may start",
}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["reason"],
                "additionalProperties": False,
                "properties": {"reason": _REASON},
            }
        }
    },
}


@router.get(
    "", summary="See whether the fleet's brake is on", **documented(Brake, Permission.TASK_READ, beyond_ocp=True)
)
async def read_brake(request: Request, _user: TaskReader) -> Response:
    return reply(request, brake_document(await brake_service.read_brake(fleet_of(request))))


@router.post(
    "",
    summary="Pull the fleet's brake: nothing new is begun on any host until it is released",
    **documented(Brake, Permission.BRAKE_CHANGE, 400, 413, 415, body=_BODY, beyond_ocp=True),
)
async def pull_brake(request: Request, user: BrakeChanger, reason: Reason) -> Response:
    return reply(request, brake_document(await brake_service.pull_brake(fleet_of(request), user.name, reason)))


@router.delete(
    "",
    summary="Release the fleet's brake: what waited goes on",
    **documented(ReleasedBrake, Permission.BRAKE_CHANGE, beyond_ocp=True),
)
async def release_brake(request: Request, _user: BrakeChanger) -> Response:
    was, republished = await brake_service.release_brake(fleet_of(request))
    note(request, {"pulledBy": was.by, "reason": was.reason} if was else {})
    return reply(request, brake_document(None) | {"republished": republished})
