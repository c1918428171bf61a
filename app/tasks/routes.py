"""Tasks: how they stand, and what was done."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.auth.permission import TaskChanger, TaskReader
from app.brake.body import tell_brake
from app.context import fleet_of
from app.hosts.host_ids import LONGEST_ID, Whole
from app.http.language.choice import language_of
from app.http.page import page_document
from app.http.reply import Streamed, cached, not_modified, reply, reply_nothing
from app.http.schemas import Log, Subtask, TaskPage, WrappedTaskInstance
from app.openapi.operations import ARCHIVE, EVENT, EVENTS, documented, documented_stream
from app.tasks import course as course_service
from app.tasks import service as tasks_service
from app.tasks.etag import entity_tag, has_it
from app.tasks.log_view import log_text
from app.tasks.query import AskedTasks
from app.tasks.views import basic_task_instance, subtask_instance, wrapped_task_instance
from app.tasks.watch.stream import answer
from core.user import Permission

router = APIRouter(prefix="/api/v2/tasks/instances", tags=["tasks"])
TaskId = Annotated[int, Path(alias="taskInstanceId", ge=1, le=LONGEST_ID, description="the task"), Whole]
SubtaskId = Annotated[
    int, Path(alias="subtaskInstanceId", ge=1, le=LONGEST_ID, description="the subtask, one of this task"), Whole
]


@router.get("", summary="List the tasks, newest first", **documented(TaskPage, Permission.TASK_READ, 400))
async def page_tasks(request: Request, _user: TaskReader, asked: AskedTasks) -> Response:
    found, stored = await tasks_service.page_tasks(fleet_of(request), asked)
    await tell_brake(request)
    contents = [basic_task_instance(task, stored.get(task.id)) for task in found.items]
    return reply(request, page_document(contents, asked.offset // asked.limit + 1, asked.limit, found.total))


@router.get(
    "/{taskInstanceId}",
    summary="Look at a task as it stands",
    **documented(WrappedTaskInstance, Permission.TASK_READ, 304, 400, 404),
)
async def read_task(request: Request, _user: TaskReader, task_id: TaskId) -> Response:
    fleet = fleet_of(request)
    task = await tasks_service.read_head(fleet, task_id)
    tag = entity_tag(request, task)
    await tell_brake(request)
    if has_it(request, tag):
        return not_modified(tag)
    stored = await tasks_service.read_subtasks(fleet, task)
    return reply(request, wrapped_task_instance(task, stored), headers=cached(tag))


@router.get(
    "/{taskInstanceId}/events",
    summary="Watch a task: server-sent events until it ends",
    response_class=StreamingResponse,
    **documented_stream("text/event-stream", EVENTS, Permission.TASK_READ, 204, 400, 404, item=EVENT, beyond_ocp=True),
)
async def watch_task(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="the id of the last message that was received")
    ] = None,
) -> Response:
    fleet = fleet_of(request)
    channel = await tasks_service.watch(fleet, task_id)
    return answer(fleet.hub, channel, last_event_id, fleet.pace, language_of(request))


@router.post(
    "/{taskInstanceId}/downloadDiagnosis",
    summary="Download all that is known of a task, as a ZIP archive",
    response_class=StreamingResponse,
    **documented_stream("application/zip", ARCHIVE, Permission.TASK_READ, 400, 404),
)
async def download_diagnosis(request: Request, _user: TaskReader, task_id: TaskId) -> Response:
    task, archive = await tasks_service.diagnose(fleet_of(request), task_id)
    headers = {"Content-Disposition": f'attachment; filename="task_{task.id}_diagnosis.zip"'}
    return Streamed(archive, headers=headers, media_type="application/zip")


@router.get(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/log",
    summary="Read the log of a subtask: all its runs, or one",
    **documented(Log, Permission.TASK_READ, 400, 404),
)
async def read_log(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    subtask_id: SubtaskId,
    run_time: Annotated[
        int | None, Query(alias="runTime", ge=1, le=LONGEST_ID, description="this run alone, from 1"), Whole
    ] = None,
) -> Response:
    task, runs = await tasks_service.read_log(fleet_of(request), task_id, subtask_id, run_time)
    return reply(request, {"log": log_text(runs, task.trace_id)})


@router.post(
    "/{taskInstanceId}/retry",
    summary="Run again what failed of a task",
    **documented(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def retry_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await course_service.retry_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))


@router.post(
    "/{taskInstanceId}/rollback",
    summary="Undo what a failed task did",
    **documented(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def roll_back_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await course_service.roll_back_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/retry",
    summary="Run one failed subtask again",
    **documented(Subtask, Permission.TASK_CHANGE, 400, 404),
)
async def retry_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    task, series_id, record = await course_service.retry_subtask(fleet_of(request), task_id, subtask_id)
    return reply(request, subtask_instance(task, series_id, record))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/skip",
    summary="Let a failed subtask count as successful",
    **documented(None, Permission.TASK_CHANGE, 400, 404),
)
async def skip_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await course_service.skip_subtask(fleet_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/cancel",
    summary="Abandon the run of a subtask",
    **documented(None, Permission.TASK_CHANGE, 400, 404),
)
async def cancel_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await course_service.cancel_subtask(fleet_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/cancel",
    summary="Stop a whole task",
    **documented(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404, beyond_ocp=True),
)
async def cancel_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await course_service.cancel_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))
