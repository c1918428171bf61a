"""To look at what was done."""

from app.context import Fleet
from infra.store.values import AuditPage


async def page_audit(fleet: Fleet, number: int, size: int) -> AuditPage:
    """Return a page of the audit, newest first; `number` counts from 1."""
    return await fleet.store.audit.page((number - 1) * size, size)
