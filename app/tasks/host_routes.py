"""The hosts of a task: what OCP gives only in the reply to the request that made it."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from fastapi import APIRouter, Request, Response

from app.auth.permission import TaskReader
from app.context import fleet_of
from app.http.page import page_document
from app.http.paging import PageNumber, PageSize
from app.http.reply import reply
from app.http.wire import long
from app.iam.schemas import TaskHostPage
from app.openapi.operations import documented
from app.tasks import service as tasks_service
from app.tasks.routes import TaskId
from core.user import Permission

router = APIRouter(prefix="/api/v2/tasks/instances", tags=["tasks"])


@router.get(
    "/{taskInstanceId}/hosts",
    summary="List the hosts of a task, in the order of parallelIdx",
    **documented(TaskHostPage, Permission.TASK_READ, 400, 404, beyond_ocp=True),
)
async def page_task_hosts(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    page: PageNumber = 1,
    size: PageSize = 10,
) -> Response:
    found, total = await tasks_service.page_task_hosts(fleet_of(request), task_id, page, size)
    contents = [
        {"alias": alias, "id": long(host_id), "parallelIdx": index} for index, (host_id, alias) in found.items()
    ]
    return reply(request, page_document(contents, page, size, total))
