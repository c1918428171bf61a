"""The routes for machines that ask whether the process is up and can do requests. They need no credentials."""

from dataclasses import asdict
from functools import reduce

from fastapi import APIRouter, Request, Response

from app.context import context_of
from app.health import service as health_service
from app.health.schemas import Health, NotReadyReply, Ready
from app.http.reply import OK, refuse, reply
from app.http.schemas import Reply
from core.text import say

router = APIRouter(tags=["health"])
_NOT_READY = 503


@router.get("/healthz", summary="Check that the process is up", responses={OK: {"model": Reply[Health]}})
async def healthz(request: Request) -> Response:
    return reply(request, {"status": "UP"})


@router.get(
    "/readyz",
    summary="Check that store and broker answer and a worker is alive",
    responses={
        OK: {"model": Reply[Ready]},
        _NOT_READY: {"model": NotReadyReply, "description": "Something is missing."},
    },
)
async def readyz(request: Request) -> Response:
    context = context_of(request)
    problems = asdict(await health_service.check_readiness(context))
    data = {"brake": str(await health_service.describe_brake(context))}
    data |= {name: str(problem or "ok") for name, problem in sorted(problems.items())}
    wrong = [say("{name}: {wrong}", name=name, wrong=wrong) for name, wrong in sorted(problems.items()) if wrong]
    if not wrong:
        return reply(request, data)
    missing = reduce(lambda some, another: say("{some}; {another}", some=some, another=another), wrong)
    error = {"code": 0, "message": say("Not ready: {missing}.", missing=missing)}
    return refuse(request, _NOT_READY, error, {"Retry-After": "5"}, data)
