"""Whether the process is up, and whether requests can be accepted and done. For machines, without credentials."""
# ruff: noqa: D103
# A route's summary is its docstring.

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from app.context import fleet_of
from app.health import service as health_service
from app.http.reply import OK, not_ready, reply
from app.http.schemas import Health, NotReadyReply, Ready, Reply

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="See that the process is up", responses={OK: {"model": Reply[Health]}})
async def healthz(request: Request) -> Response:
    return reply(request, {"status": "UP"})


@router.get(
    "/readyz",
    summary="See that store and broker answer and a worker is alive",
    responses={OK: {"model": Reply[Ready]}, 503: {"model": NotReadyReply, "description": "Something is missing."}},
)
async def readyz(request: Request) -> Response:
    fleet = fleet_of(request)
    checks, brake = (
        asdict(await health_service.readiness(fleet)),
        {"brake": str(await health_service.brake_word(fleet))},
    )
    if any(checks.values()):
        return not_ready(request, checks, brake)
    return reply(request, brake | dict.fromkeys(sorted(checks), "ok"))
