"""The audit: what is kept of a request once its reply is known, in the store and in the log."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.types import Scope

from app.auth.lockout import digest, network_of
from app.context import Fleet, fleet_of
from app.http.request_state import Exchange, exchange_of
from core.audit import AuditEntry, Proof
from core.errors import FleetError

OK: Final = 200
REFUSALS: Final = frozenset({401, 403, 429})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NAMED: Final = 5
"""So many ids of a list are kept."""
_LONGEST: Final = 300
"""Characters of a path or a sentence that are kept."""
_DIGITS: Final = 18
"""Of a task's id in a path: those that a JSON writer takes for sure."""
_STRANGERS: Final = 20
"""So many entries of one source without proved credentials are kept in the store …"""
_STRANGERS_LAPSE: Final = 10 * 60 * 1000
"""… until it was quiet for so many milliseconds: nobody can push real entries out by being refused."""

log = structlog.get_logger("ocpfleet.audit")


def note(request: Request, fields: Mapping[str, object] | None = None, *, task_id: int | None = None) -> None:
    """Say what a request is about, for the audit: the task that it made or acts on, and its key fields."""
    exchange = exchange_of(request)
    exchange.task_id = task_id or exchange.task_id
    exchange.fields |= {name: _shortened(value) for name, value in (fields or {}).items()}


def acceptance(request: Request) -> AuditEntry:
    """Return what is kept of a request that is accepted, but for the task that it becomes."""
    scope = request.scope
    return _entry(scope, exchange_of(request), fleet_of(request).clock(), OK)


def kept_with_task(request: Request) -> None:
    """Say that the store has the entry of a request's acceptance already, together with the task."""
    exchange_of(request).kept_status = OK


async def record(scope: Scope, exchange: Exchange) -> None:
    """Keep a change or a refusal; nothing of what is neither. Called before the reply goes out.

    A store that does not answer costs the entry in the store, not the reply: the log has it.
    """
    if scope["method"] in _READING and exchange.status not in REFUSALS:
        return
    fleet: Fleet = scope["app"].state.fleet
    entry = _entry(scope, exchange, fleet.clock(), exchange.status)
    log.info("audit", **_for_the_log(entry))
    if exchange.status == exchange.kept_status:
        return
    try:
        if entry.proof is not Proof.NONE or await _is_heard(fleet, entry.source):
            await fleet.store.audit.append(entry)
    except FleetError as error:
        log.error("the audit entry before this one is in the log only", reason=error.sentence)  # noqa: TRY400 - expected


async def _is_heard(fleet: Fleet, source: str) -> bool:
    (count,) = await fleet.store.guard.count((f"stranger:{digest(network_of(source))}",), _STRANGERS_LAPSE)
    return count <= _STRANGERS


def _entry(scope: Scope, exchange: Exchange, now: int, status: int) -> AuditEntry:
    code, message = exchange.error
    return AuditEntry(
        at=now,
        user=exchange.user or exchange.claimed,
        proof=exchange.proof,
        access_key=exchange.access_key,
        source=exchange.source,
        method=scope["method"],
        path=scope["path"][:_LONGEST],
        fields=exchange.fields,
        task_id=exchange.task_id or _task_of(scope.get("path_params", {})),
        status=status,
        code=code,
        message=message[:_LONGEST],
        trace_id=exchange.trace_id,
    )


def _task_of(path_params: Mapping[str, Any]) -> int | None:
    text = str(path_params.get("taskInstanceId", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _shortened(value: object) -> str:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return str(value)[:_LONGEST]
    named = ", ".join(map(str, value[:_NAMED]))
    return f"{named} and {len(value) - _NAMED} more" if len(value) > _NAMED else named


def _for_the_log(entry: AuditEntry) -> dict[str, object]:
    return {
        "user": entry.user,
        "proof": str(entry.proof),
        "accessKey": entry.access_key,
        "source": entry.source,
        "method": entry.method,
        "path": entry.path,
        "fields": dict(entry.fields),
        "taskId": entry.task_id,
        "status": entry.status,
        "code": entry.code,
        "message": entry.message,
    }
