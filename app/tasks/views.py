"""Renders tasks for replies, as OCP does.

A task for 10,000 hosts has 30,002 subtasks, so the documents are plain dictionaries, and nothing validates them on the
way out.
"""

from collections.abc import Iterator, Mapping, Sequence

from app.http.wire import format_id, format_ids, format_seconds, format_time
from core.plan import PlannedStep
from core.progress import compute_progress
from core.record import SubtaskRecord, TaskRecord

Document = dict[str, object]
_NOT_SCHEDULED = -1
"""The taskDefinitionId of a task that no schedule made."""


def render_new_task(task: TaskRecord, host_ids: Sequence[int]) -> Document:
    """Return OCP's TaskInstance: a task as it was accepted, before anything ran."""
    document: Document = {
        "context": _render_context(task, host_ids),
        "creator": task.creator.name,
        "executor": task.executor,
    }
    if not task.task_type.parallel:
        document["hostId"] = format_id(host_ids[0])
    return document | {
        "id": format_id(task.id),
        "name": task.task_type.name,
        "operation": task.operation,
        "startTime": format_time(task.started),
        "status": task.status,
        "subtasks": list(_render_new_subtasks(task)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
    }


def _render_context(task: TaskRecord, host_ids: Sequence[int]) -> Document:
    hosts = list(map(str, host_ids))
    prohibited = str(task.task_type.prohibits_rollback).lower()
    parallel = task.task_type.parallel
    return {
        "listMap": {"host_ids": hosts} if parallel else {},
        "parallel": False,
        "parallelIdx": -1,
        "stringMap": ({} if parallel else {"host_id": hosts[0]}) | {"prohibit_rollback": prohibited},
    }


def render_wrapped_task(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Document:
    """Return OCP's WrappedTaskInstance: a task as it is now."""
    document: Document = {
        "createTime": format_seconds(task.started),
        "creator": {"id": format_id(task.creator.id), "name": task.creator.name},
        "executor": task.executor,
    }
    if task.finished is not None:
        document["finishTime"] = format_time(task.finished)
    document |= {
        "id": format_id(task.id),
        "name": task.task_type.name,
        "operation": task.operation,
        "prohibitRollback": task.task_type.prohibits_rollback,
        "startTime": format_time(task.started),
        "status": task.status,
        "subtasks": list(_render_subtasks(task, stored)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
    }
    return document


def render_basic_task(task: TaskRecord, stored: Mapping[int, SubtaskRecord] | None) -> Document:
    """Return OCP's BasicTaskInstance, as lists show it, with the task's progress.

    Args:
        task: its head.
        stored: what happened to its subtasks; None where they are not listed.
    """
    document: Document = {"creator": {"id": format_id(task.creator.id), "name": task.creator.name}}
    if task.finished is not None:
        document["finishTime"] = format_time(task.finished)
    document |= {"id": format_id(task.id), "name": task.task_type.name if task.is_known else task.type_slug}
    if task.is_known:
        document["progress"] = render_steps(task)
    document |= {"startTime": format_time(task.started), "status": task.status}
    if stored is not None:
        document["subtasks"] = list(_render_basic_subtasks(task, stored))
    return document


def render_steps(task: TaskRecord) -> list[Document]:
    """Return how many subtasks of each step have each status. Statuses of no subtask are left out."""
    return [
        {"name": step.name, "subtasks": {status.value: step.by_status[status] for status in sorted(step.by_status)}}
        for step in compute_progress(task)
    ]


def _render_basic_subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[Document]:
    for planned in task.plan:
        name = planned.step.name
        for (_, record), subtask_id in zip(
            task.derive_step(planned, stored), _list_ids(task, planned.series), strict=True
        ):
            yield {
                "description": name,
                "id": subtask_id,
                "name": name,
                "operation": record.operation,
                "status": record.status,
            }


def _list_ids(task: TaskRecord, series: range) -> list[int | str]:
    return format_ids(range(task.first_subtask_id + series.start, task.first_subtask_id + series.stop))


def _render_new_subtasks(task: TaskRecord) -> Iterator[Document]:
    """Yield the subtasks of a new task, as the reply to its request shows them."""
    for planned in task.plan:
        step, status = planned.step, task.derive_initial(planned.index).status
        upstreams, downstreams = (
            _list_ids(task, task.plan.upstream(planned)),
            _list_ids(task, task.plan.downstream(planned)),
        )
        parallel = task.plan.parallel_indices(planned)
        for series_id, subtask_id, index in zip(planned.series, _list_ids(task, planned.series), parallel, strict=True):
            yield {
                "className": step.class_name,
                "description": step.name,
                "downstreams": downstreams,
                "id": subtask_id,
                "name": step.name,
                "nodeType": "JAVA_TASK",
                "operation": task.operation,
                "parallelIdx": index,
                "prohibitRollback": False,
                "runTime": 1,
                "seriesId": series_id,
                "status": status,
                "timeout": step.timeout,
                "upstreams": upstreams,
            }


def render_subtask(task: TaskRecord, series_id: int, record: SubtaskRecord) -> Document:
    """Return OCP's SubtaskInstance: one subtask as it is now."""
    planned = task.plan.find_step(series_id)
    edges = _list_ids(task, task.plan.upstream(planned)), _list_ids(task, task.plan.downstream(planned))
    (subtask_id,) = _list_ids(task, range(series_id, series_id + 1))
    index = task.plan.parallel_indices(planned)[series_id - planned.first]
    return _render_subtask(planned, edges, (subtask_id, series_id, index), record)


def _render_subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[Document]:
    for planned in task.plan:
        edges = _list_ids(task, task.plan.upstream(planned)), _list_ids(task, task.plan.downstream(planned))
        parallel = task.plan.parallel_indices(planned)
        ids = _list_ids(task, planned.series)
        for (series_id, record), subtask_id, index in zip(
            task.derive_step(planned, stored), ids, parallel, strict=True
        ):
            yield _render_subtask(planned, edges, (subtask_id, series_id, index), record)


def _render_subtask(
    planned: PlannedStep,
    edges: tuple[list[int | str], list[int | str]],
    numbers: tuple[int | str, int, int],
    record: SubtaskRecord,
) -> Document:
    step = planned.step
    upstreams, downstreams = edges
    subtask_id, series_id, index = numbers
    document: Document = {"description": step.name, "downstreams": downstreams}
    if record.executor is not None:
        document["executor"] = record.executor
    if record.finished is not None:
        document["finishTime"] = format_time(record.finished)
    document |= {
        "id": subtask_id,
        "name": step.name,
        "nodeType": "JAVA_TASK",
        "operation": record.operation,
        "parallelIdx": index,
        "prohibitRollback": False,
        "runTime": record.run_time,
        "seriesId": series_id,
    }
    if record.started is not None:
        document["startTime"] = format_time(record.started)
    document |= {"status": record.status, "timeout": step.timeout, "upstreams": upstreams}
    return document
