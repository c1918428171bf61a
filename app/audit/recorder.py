"""Records changes and refusals for the audit, in the store and in the log, once the reply is known."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from starlette.requests import Request

from app.auth.lockout import digest, network_of
from app.context import Context, context_of
from app.http.request_state import state_of
from core.audit import AuditEntry, Proof
from core.errors import FleetError

OK: Final = 200
REFUSALS: Final = frozenset({401, 403, 429})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_LENGTH: Final = 300
"""How many characters of a path or a message are kept."""
_MAX_DIGITS: Final = 18
"""How many digits of a task's id in a path are read: any JSON writer takes that many."""
_MAX_STRANGERS: Final = 20
"""How many entries without proved credentials the store keeps of one source …"""
_STRANGERS_LAPSE: Final = 10 * 60 * 1000
"""… until the source is quiet for that many milliseconds. So nobody can push real entries out by being refused."""

log = structlog.get_logger("ocpfleet.audit")


def build_acceptance_entry(request: Request) -> AuditEntry:
    """Return the entry of a request that is accepted, without the task that it becomes."""
    return _build_entry(request, OK)


def mark_kept_with_task(request: Request) -> None:
    """Note that the store already has the entry of a request's acceptance, together with the task."""
    state_of(request).kept_status = OK


async def record_reply(request: Request) -> None:
    """Record a change or a refusal, and nothing else. Called before the reply goes out.

    A store that does not answer costs the entry in the store and not the reply. The log has every entry.
    """
    state, context = state_of(request), context_of(request)
    if request.method in _READING and state.status not in REFUSALS:
        return
    entry = _build_entry(request, state.status)
    log.info("audit", **_render_for_log(entry))
    if state.status == state.kept_status:
        return
    try:
        if entry.proof is not Proof.NONE or await _may_store_stranger(context, entry.source):
            await context.store.audit.append(entry)
    except FleetError as error:
        reason = error.sentence
    else:
        return
    log.error("the audit entry before this one is in the log only", reason=reason)


async def _may_store_stranger(context: Context, source: str) -> bool:
    (count,) = await context.store.guard.count((f"stranger:{digest(network_of(source))}",), _STRANGERS_LAPSE)
    return count <= _MAX_STRANGERS


def _build_entry(request: Request, status: int) -> AuditEntry:
    state, scope = state_of(request), request.scope
    code, message = state.error
    return AuditEntry(
        at=context_of(request).clock(),
        user=state.user or state.claimed,
        proof=state.proof,
        access_key=state.access_key,
        source=state.source,
        method=scope["method"],
        path=scope["path"][:_MAX_LENGTH],
        fields=state.fields,
        task_id=state.task_id or _read_task_id(scope.get("path_params", {})),
        status=status,
        code=code,
        message=message[:_MAX_LENGTH],
        trace_id=state.trace_id,
    )


def _read_task_id(path_params: Mapping[str, Any]) -> int | None:
    text = str(path_params.get("taskInstanceId", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def _render_for_log(entry: AuditEntry) -> dict[str, object]:
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
