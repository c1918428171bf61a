"""Tasks: how they stand, and what was done."""
# ruff: noqa: D103, FAST003
# A route's summary is its docstring; ruff does not see the aliases of path parameters.

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app import service
from app.auth.permission import TaskChanger, TaskReader
from app.documents.log import log_text
from app.documents.task import subtask_instance, wrapped_task_instance
from app.fleet import fleet_of
from app.replies import reply, reply_nothing
from app.routes.documented import documented
from app.schemas import Log, Subtask, WrappedTaskInstance
from app.validation import LONGEST_ID, Whole
from core.user import Permission

router = APIRouter(prefix="/api/v2/tasks/instances", tags=["tasks"])
TaskId = Annotated[int, Whole, Path(alias="taskInstanceId", ge=1, le=LONGEST_ID)]
SubtaskId = Annotated[int, Whole, Path(alias="subtaskInstanceId", ge=1, le=LONGEST_ID)]


@router.get(
    "/{taskInstanceId}",
    summary="Look at a task as it stands",
    **documented(WrappedTaskInstance, Permission.TASK_READ, 400, 404),
)
async def read_task(request: Request, _user: TaskReader, task_id: TaskId) -> Response:
    task, stored = await service.read_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))


@router.get(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/log",
    summary="Read the log of a subtask, all its runs",
    **documented(Log, Permission.TASK_READ, 400, 404),
)
async def read_log(request: Request, _user: TaskReader, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    task, runs = await service.read_log(fleet_of(request), task_id, subtask_id)
    return reply(request, {"log": log_text(runs, task.trace_id)})


@router.post(
    "/{taskInstanceId}/retry",
    summary="Run again what failed of a task",
    **documented(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def retry_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await service.retry_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/retry",
    summary="Run one failed subtask again",
    **documented(Subtask, Permission.TASK_CHANGE, 400, 404),
)
async def retry_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    task, series_id, record = await service.retry_subtask(fleet_of(request), task_id, subtask_id)
    return reply(request, subtask_instance(task, series_id, record))


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/skip",
    summary="Let a failed subtask count as successful",
    **documented(None, Permission.TASK_CHANGE, 400, 404),
)
async def skip_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await service.skip_subtask(fleet_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/subtasks/{subtaskInstanceId}/cancel",
    summary="Abandon the run of a subtask",
    **documented(None, Permission.TASK_CHANGE, 400, 404),
)
async def cancel_subtask(request: Request, _user: TaskChanger, task_id: TaskId, subtask_id: SubtaskId) -> Response:
    await service.cancel_subtask(fleet_of(request), task_id, subtask_id)
    return reply_nothing(request)


@router.post(
    "/{taskInstanceId}/cancel",
    summary="Stop a whole task (beyond OCP)",
    **documented(WrappedTaskInstance, Permission.TASK_CHANGE, 400, 404),
)
async def cancel_task(request: Request, _user: TaskChanger, task_id: TaskId) -> Response:
    task, stored = await service.cancel_task(fleet_of(request), task_id)
    return reply(request, wrapped_task_instance(task, stored))
