"""The route that reads the audit."""

from fastapi import APIRouter, Request, Response

from app.audit import service as audit_service
from app.audit.schemas import AuditPage
from app.audit.views import render_entry
from app.auth.permission import AuditReader
from app.context import context_of
from app.http.paging import PageParam, SizeParam, build_page
from app.http.reply import reply
from app.openapi.operations import describe_operation
from core.user import Permission

router = APIRouter(tags=["audit"])


@router.get(
    "/api/v2/audit",
    summary="List changes and refusals, newest first",
    **describe_operation(AuditPage, Permission.AUDIT_READ, 400, beyond_ocp=True),
)
async def page_audit(
    request: Request,
    _user: AuditReader,
    page: PageParam = 1,
    size: SizeParam = 10,
) -> Response:
    found = await audit_service.page_audit(context_of(request), page, size)
    return reply(request, build_page([render_entry(entry) for entry in found.items], page, size, found.total))
