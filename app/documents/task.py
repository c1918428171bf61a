"""A task as OCP shows it: in the reply to the request that made it, and whenever it is looked at.

A task over 10,000 hosts has 30,002 subtasks, so these are plain dictionaries: nothing is validated on the way out.
"""

from collections.abc import Iterator, Mapping, Sequence

from app.documents.wire import long, longs, stamp, stamp_seconds
from core.plan import PlannedStep
from core.record import SubtaskRecord, TaskRecord

Document = dict[str, object]
_NOT_SCHEDULED = -1
"""The taskDefinitionId of a task that no schedule made."""


def task_instance(task: TaskRecord, host_ids: Sequence[int]) -> Document:
    """Return OCP's TaskInstance: the task as it was accepted, before anything ran."""
    return {
        "context": {
            "listMap": {"host_ids": list(map(str, host_ids))},
            "parallel": False,
            "parallelIdx": -1,
            "stringMap": {"prohibit_rollback": "false"},
        },
        "creator": task.creator.name,
        "executor": task.executor,
        "id": long(task.id),
        "name": task.task_type.name,
        "operation": task.operation,
        "startTime": stamp(task.started),
        "status": task.status,
        "subtasks": list(_fresh_subtasks(task)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
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
        "prohibitRollback": False,
        "startTime": stamp(task.started),
        "status": task.status,
        "subtasks": list(_subtasks(task, stored)),
        "taskDefinitionId": _NOT_SCHEDULED,
        "type": "MANUAL",
    }
    return document


def _ids(task: TaskRecord, series: range) -> list[int | str]:
    return longs(range(task.first_subtask_id + series.start, task.first_subtask_id + series.stop))


def _fresh_subtasks(task: TaskRecord) -> Iterator[Document]:
    """Yield the subtasks to which nothing happened yet, as the reply to the request shows them."""
    for planned in task.plan:
        step, status = planned.step, task.untouched(planned.index).status
        upstreams, downstreams = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
        parallel = _parallel_indices(planned)
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
    planned = task.plan.step_of(series_id)
    upstreams, downstreams = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
    (subtask_id,) = _ids(task, range(series_id, series_id + 1))
    return _subtask(planned, (upstreams, downstreams), subtask_id, series_id, record)


def _subtasks(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> Iterator[Document]:
    for planned in task.plan:
        untouched = task.untouched(planned.index)
        edges = _ids(task, task.plan.upstream(planned)), _ids(task, task.plan.downstream(planned))
        for series_id, subtask_id in zip(planned.series, _ids(task, planned.series), strict=True):
            yield _subtask(planned, edges, subtask_id, series_id, stored.get(series_id, untouched))


def _subtask(
    planned: PlannedStep,
    edges: tuple[list[int | str], list[int | str]],
    subtask_id: int | str,
    series_id: int,
    record: SubtaskRecord,
) -> Document:
    step = planned.step
    upstreams, downstreams = edges
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
        "parallelIdx": planned.parallel_index(series_id),
        "prohibitRollback": False,
        "runTime": record.run_time,
        "seriesId": series_id,
    }
    if record.started is not None:
        document["startTime"] = stamp(record.started)
    document |= {"status": record.status, "timeout": step.timeout, "upstreams": upstreams}
    return document


def _parallel_indices(planned: PlannedStep) -> Sequence[int]:
    return [planned.parallel_index(series_id) for series_id in planned.series]
