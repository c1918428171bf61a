"""The audit, to be read."""
# ruff: noqa: D103
# A route's summary is its docstring.

from fastapi import APIRouter, Request, Response

from app.audit import service as audit_service
from app.audit.views import audit_document
from app.auth.permission import AuditReader
from app.context import fleet_of
from app.http.page import page_document
from app.http.paging import PageNumber, PageSize
from app.http.reply import reply
from app.http.schemas import AuditPage
from app.openapi.operations import documented
from core.user import Permission

router = APIRouter(tags=["audit"])


@router.get(
    "/api/v2/audit",
    summary="Read who changed what and who was refused, newest first",
    **documented(AuditPage, Permission.AUDIT_READ, 400, beyond_ocp=True),
)
async def page_audit(
    request: Request,
    _user: AuditReader,
    page: PageNumber = 1,
    size: PageSize = 10,
) -> Response:
    found = await audit_service.page_audit(fleet_of(request), page, size)
    return reply(request, page_document([audit_document(entry) for entry in found.items], page, size, found.total))
