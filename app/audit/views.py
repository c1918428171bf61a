"""An entry of the audit as a reply shows it."""

from app.http.wire import long, stamp
from core.audit import AuditEntry


def audit_document(entry: AuditEntry) -> dict[str, object]:
    """Return an entry; what is not known of it is null."""
    return {
        "accessKey": entry.access_key,
        "code": entry.code,
        "fields": dict(entry.fields),
        "id": long(entry.number),
        "message": entry.message or None,
        "method": entry.method,
        "path": entry.path,
        "proof": entry.proof,
        "source": entry.source,
        "status": entry.status,
        "taskId": None if entry.task_id is None else long(entry.task_id),
        "time": stamp(entry.at),
        "traceId": entry.trace_id or None,
        "user": entry.user,
    }
