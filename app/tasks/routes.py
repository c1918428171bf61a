"""The routes that read, watch and change tasks."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.auth.permission import TaskChanger, TaskReader
from app.brake.header import read_brake_and_add_header
from app.context import context_of
from app.http.language.choice import language_of
from app.http.paging import build_page
from app.http.parameters import MAX_ID, Whole
from app.http.reply import StreamedReply, reply, reply_nothing
from app.openapi.operations import describe_operation, describe_stream
from app.tasks import course as course_service
from app.tasks import service as tasks_service
from app.tasks.etag import build_cache_headers, has_current, make_etag, reply_not_modified
from app.tasks.log_view import render_log
from app.tasks.outbox import outbox_of
from app.tasks.parameters import SubtaskId, TaskId
from app.tasks.query import QueriedTasks
from app.tasks.schemas import Log, Subtask, TaskPage, WrappedTaskInstance
from app.tasks.stream_description import ARCHIVE, EVENT_SCHEMA, EVENTS
from app.tasks.views import render_basic_task, render_subtask, render_wrapped_task
from app.tasks.watch.hub import hub_of
from app.tasks.watch.stream import open_stream
from core.user import Permission

router = APIRouter(prefix="/api/v2/tasks/instances", tags=["tasks"])


@router.get("", summary="List the tasks, newest first", **describe_operation(TaskPage, Permission.TASK_READ, 400))
async def page_tasks(request: Request, _user: TaskReader, query: QueriedTasks) -> Response:
    found, stored = await tasks_service.page_tasks(context_of(request), query)
    await read_brake_and_add_header(request)
    contents = [render_basic_task(task, stored.get(task.id)) for task in found.items]
    return reply(request, build_page(contents, query.offset // query.limit + 1, query.limit, found.total))


@router.get(
    "/{taskInstanceId}",
    summary="Read a task",
    **describe_operation(WrappedTaskInstance, Permission.TASK_READ, 304, 400, 404),
)
async def read_task(request: Request, _user: TaskReader, task_id: TaskId) -> Response:
    context = context_of(request)
    task = await tasks_service.read_head(context, task_id)
    tag = make_etag(request, task)
    await read_brake_and_add_header(request)
    if has_current(request, tag):
        return reply_not_modified(tag)
    stored = await tasks_service.read_subtasks(context, task)
    return reply(request, render_wrapped_task(task, stored), headers=build_cache_headers(tag))


@router.get(
    "/{taskInstanceId}/events",
    summary="Watch a task by server-sent events until it ends",
    response_class=StreamingResponse,
    **describe_stream(
        "text/event-stream", EVENTS, Permission.TASK_READ, 204, 400, 404, item=EVENT_SCHEMA, beyond_ocp=True
    ),
)
async def watch_task(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="the id of the last message that was received")
    ] = None,
) -> Response:
    hub = hub_of(request)
    channel = await tasks_service.watch(context_of(request), hub, task_id)
    return open_stream(hub, channel, last_event_id, language_of(request))


@router.post(
    "/{taskInstanceId}/downloadDiagnosis",
    summary="Download all that is known of a task, as a ZIP archive",
    response_class=StreamingResponse,
    **describe_stream("application/zip", ARCHIVE, Permission.TASK_READ, 400, 404),
)
async def download_diagnosis(request: Request, _user: TaskReader, task_id: TaskId) -> Response:
    task, archive = await tasks_service.diagnose(context_of(request), task_id)
    headers = {"Content-Disposition": f'attachment; filename="task_{task.id}_diagnosis.zip"'}
    return StreamedReply(archive, headers=headers, media_type="application/zip")


@router.get(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/log",
    summary="Read the log of a subtask: all its runs, or one",
    **describe_operation(Log, Permission.TASK_READ, 400, 404),
)
async def read_log(
    request: Request,
    _user: TaskReader,
    task_id: TaskId,
    subtask_id: SubtaskId,
    run_time: Annotated[
        int | None, Query(alias="runTime", ge=1, le=MAX_ID, description="the number of one run, from 1"), Whole
    ] = None,
) -> Response:
    task, runs = await tasks_service.read_log(context_of(request), task_id, subtask_id, run_time)
    return reply(request, {"log": render_log(runs, task.trace_id)})


@router.post(
    "/{taskInstanceId}/retry",
    summary="Run the failed subtasks of a task again",
    **describe_operation(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def retry_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    context, outbox = context_of(request), outbox_of(request)
    task, stored = await course_service.retry_task(context, outbox, task_id)
    return reply(request, render_wrapped_task(task, stored))


@router.post(
    "/{taskInstanceId}/rollback",
    summary="Undo what a failed task did",
    **describe_operation(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def roll_back_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    context, outbox = context_of(request), outbox_of(request)
    task, stored = await course_service.roll_back_task(context, outbox, task_id)
    return reply(request, render_wrapped_task(task, stored))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/retry",
    summary="Run one failed subtask again",
    **describe_operation(Subtask, Permission.TASK_CHANGE, 400, 404),
)
async def retry_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    task, series_id, record = await course_service.retry_subtask(
        context_of(request), outbox_of(request), task_id, subtask_id
    )
    return reply(request, render_subtask(task, series_id, record))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/skip",
    summary="Skip a failed subtask: count it as successful",
    **describe_operation(None, Permission.TASK_CHANGE, 400, 404),
)
async def skip_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await course_service.skip_subtask(context_of(request), outbox_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/cancel",
    summary="Abandon the run of a subtask",
    **describe_operation(None, Permission.TASK_CHANGE, 400, 404),
)
async def cancel_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await course_service.cancel_subtask(context_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/cancel",
    summary="Stop a whole task",
    **describe_operation(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404, beyond_ocp=True),
)
async def cancel_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await course_service.cancel_task(context_of(request), task_id)
    return reply(request, render_wrapped_task(task, stored))
