"""Renders entries of the audit for replies."""

from app.http.wire import format_id, format_time
from core.audit import AuditEntry


def render_entry(entry: AuditEntry) -> dict[str, object]:
    """Return an entry. What is not known of it is null."""
    return {
        "accessKey": entry.access_key,
        "code": entry.code,
        "fields": dict(entry.fields),
        "id": format_id(entry.number),
        "message": entry.message or None,
        "method": entry.method,
        "path": entry.path,
        "proof": entry.proof,
        "source": entry.source,
        "status": entry.status,
        "taskId": None if entry.task_id is None else format_id(entry.task_id),
        "time": format_time(entry.at),
        "traceId": entry.trace_id or None,
        "user": entry.user,
    }
