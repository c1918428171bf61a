"""The route that lists the hosts of a task. OCP names them only in the reply to the request that made the task."""

from fastapi import APIRouter, Request, Response

from app.auth.permission import TaskReader
from app.context import context_of
from app.http.paging import PageParam, SizeParam, build_page
from app.http.reply import reply
from app.http.wire import format_id
from app.openapi.operations import describe_operation
from app.tasks import service as tasks_service
from app.tasks.parameters import TaskId
from app.tasks.schemas import TaskHostPage
from core.user import Permission

router = APIRouter(prefix="/api/v2/tasks/instances", tags=["tasks"])


@router.get(
    "/{taskInstanceId}/hosts",
    summary="List the hosts of a task, in the order of parallelIdx",
    **describe_operation(TaskHostPage, Permission.TASK_READ, 400, 404, beyond_ocp=True),
)
async def page_task_hosts(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    page: PageParam = 1,
    size: SizeParam = 10,
) -> Response:
    found, total = await tasks_service.page_task_hosts(context_of(request), task_id, page, size)
    contents = [
        {"alias": alias, "id": format_id(host_id), "parallelIdx": index} for index, (host_id, alias) in found.items()
    ]
    return reply(request, build_page(contents, page, size, total))
