"""The audit, to be read."""
# ruff: noqa: D103
# A route's summary is its docstring.

from fastapi import APIRouter, Request, Response

from app.auth.permission import AuditReader
from app.documents.audit import audit_document
from app.documents.page import page_document
from app.fleet import fleet_of
from app.replies import reply
from app.routes.documented import documented
from app.routes.paging import PageNumber, PageSize
from app.schemas import AuditPage
from app.service import audit as audit_service
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
    return reply(request, page_document([audit_document(entry) for entry in found.entries], page, size, found.total))
