"""To look at what was done."""

from app.context import Fleet
from core.audit import AuditEntry
from core.page import Page


async def page_audit(fleet: Fleet, number: int, size: int) -> Page[AuditEntry]:
    """Return a page of the audit, newest first; `number` counts from 1."""
    return await fleet.store.audit.page((number - 1) * size, size)
