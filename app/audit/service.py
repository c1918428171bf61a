"""Reads the audit."""

from app.context import Context
from core.audit import AuditEntry
from core.page import Page


async def page_audit(context: Context, number: int, size: int) -> Page[AuditEntry]:
    """Return a page of the audit, newest first; `number` counts from 1."""
    return await context.store.audit.page((number - 1) * size, size)
