"""A task as OCP shows it: in the reply to the request that made it, and whenever it is looked at.

A task over 10,000 hosts has 30,002 subtasks, so these are plain dictionaries: nothing is validated on the way out.
"""

from collections.abc import Iterator, Mapping, Sequence

from app.http.wire import long, longs, stamp, stamp_seconds
from core.plan import PlannedStep
from core.progress import compute_progress
from core.record import SubtaskRecord, TaskRecord

Document = dict[str, object]
_NOT_SCHEDULED = -1
"""The taskDefinitionId of a task that no schedule made."""


def task_instance(task: TaskRecord, host_ids: Sequence[int]) -> Document:
    """Return OCP's TaskInstance: the task as it was accepted, before anything ran."""
    document: Document = {
        "context": _context(task, host_ids),
        "creator": task.creator.name,
        "executor": task.executor,
    }
    if not task.task_type.parallel:
        document["hostId"] = long(host_ids[0])
    return document | {
        "id": long(task.id),
        "name": task.task_type.name,
        "operation": task.operation,
        "startTime": stamp(task.started),
        "status": task.status,
        "subtasks": list(_fresh_subtasks(task)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
    }


def _context(task: TaskRecord, host_ids: Sequence[int]) -> Document:
    hosts = list(map(str, host_ids))
    prohibited = str(task.task_type.prohibits_rollback).lower()
    parallel = task.task_type.parallel
    return {
        "listMap": {"host_ids": hosts} if parallel else {},
        "parallel": False,
        "parallelIdx": -1,
        "stringMap": ({} if parallel else {"host_id": hosts[0]}) | {"prohibit_rollback": prohibited},
    }


def wrapped_task_instance(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Document:
    """Return OCP's WrappedTaskInstance: the task as it stands."""
    document: Document = {
        "createTime": stamp_seconds(task.started),
        "creator": {"id": long(task.creator.id), "name": task.creator.name},
        "executor": task.executor,
    }
    if task.finished is not None:
        document["finishTime"] = stamp(task.finished)
    document |= {
        "id": long(task.id),
        "name": task.task_type.name,
        "operation": task.operation,
        "prohibitRollback": task.task_type.prohibits_rollback,
        "startTime": stamp(task.started),
        "status": task.status,
        "subtasks": list(_subtasks(task, stored)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
    }
    return document


def basic_task_instance(task: TaskRecord, stored: Mapping[int, SubtaskRecord] | None) -> Document:
    """Return OCP's BasicTaskInstance, as lists show it, and beside it the task's progress.

    Args:
        task: its head.
        stored: what happened to its subtasks; None where they are not listed.
    """
    document: Document = {"creator": {"id": long(task.creator.id), "name": task.creator.name}}
    if task.finished is not None:
        document["finishTime"] = stamp(task.finished)
    document |= {"id": long(task.id), "name": task.task_type.name if task.is_known else task.type_slug}
    if task.is_known:
        document["progress"] = progress_document(task)
    document |= {"startTime": stamp(task.started), "status": task.status}
    if stored is not None:
        document["subtasks"] = list(_basic_subtasks(task, stored))
    return document


def progress_document(task: TaskRecord) -> list[Document]:
    """Return how many subtasks of each step have each status; statuses that none has are left out."""
    return [
        {"name": step.name, "subtasks": {status.value: step.by_status[status] for status in sorted(step.by_status)}}
        for step in compute_progress(task)
    ]


def _basic_subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[Document]:
    for planned in task.plan:
        name = planned.step.name
        for (_, record), subtask_id in zip(task.derive_step(planned, stored), _ids(task, planned.series), strict=True):
            yield {
                "description": name,
                "id": subtask_id,
                "name": name,
                "operation": record.operation,
                "status": record.status,
            }


def _ids(task: TaskRecord, series: range) -> list[int | str]:
    return longs(range(task.first_subtask_id + series.start, task.first_subtask_id + series.stop))


def _fresh_subtasks(task: TaskRecord) -> Iterator[Document]:
    """Yield the subtasks to which nothing happened yet, as the reply to the request shows them."""
    for planned in task.plan:
        step, status = planned.step, task.derive_initial(planned.index).status
        upstreams, downstreams = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
        parallel = task.plan.parallel_indices(planned)
        for series_id, subtask_id, index in zip(planned.series, _ids(task, planned.series), parallel, strict=True):
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


def subtask_instance(task: TaskRecord, series_id: int, record: SubtaskRecord) -> Document:
    """Return OCP's SubtaskInstance: one subtask as it stands."""
    planned = task.plan.find_step(series_id)
    upstreams, downstreams = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
    (subtask_id,) = _ids(task, range(series_id, series_id + 1))
    index = task.plan.parallel_indices(planned)[series_id - planned.first]
    return _subtask(planned, (upstreams, downstreams), (subtask_id, series_id, index), record)


def _subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[Document]:
    for planned in task.plan:
        edges = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
        parallel = task.plan.parallel_indices(planned)
        ids = _ids(task, planned.series)
        for (series_id, record), subtask_id, index in zip(
            task.derive_step(planned, stored), ids, parallel, strict=True
        ):
            yield _subtask(planned, edges, (subtask_id, series_id, index), record)


def _subtask(
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
        document["finishTime"] = stamp(record.finished)
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
        document["startTime"] = stamp(record.started)
    document |= {"status": record.status, "timeout": step.timeout, "upstreams": upstreams}
    return document
