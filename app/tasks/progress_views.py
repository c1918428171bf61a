"""Renders the progress of a task and its changes, for the event stream. OCP has no such documents."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from app.http.wire import format_id, format_time
from app.tasks.views import render_steps
from core.event import TaskEvent
from core.record import TaskRecord

Document = dict[str, object]
MAX_NAMED: Final = 1000
"""How many failed hosts one message names. Another field has their total number."""


def render_progress(task: TaskRecord, failed_hosts: Iterator[int]) -> Document:
    """Return the progress of a task: its status, the counts of each step, and the failed hosts."""
    named = [format_id(host_id) for host_id in islice(failed_hosts, MAX_NAMED)]
    document: Document = {
        "failedHostCount": len(named) + sum(1 for _ in failed_hosts),
        "failedHostIds": named,
        "id": format_id(task.id),
        "operation": task.operation,
        "progress": render_steps(task),
        "status": task.status,
    }
    if task.finished is not None:
        document["finishTime"] = format_time(task.finished)
    return document


def render_changes(task: TaskRecord, events: Iterable[TaskEvent]) -> list[Document]:
    """Return what happened, oldest first: new statuses of subtasks, opened steps, a new status of the task.

    Neighbouring subtasks are given as `[first id, last id]`.
    """
    return [_render_change(task, event) for event in events]


def _render_change(task: TaskRecord, event: TaskEvent) -> Document:
    document: Document = {"time": format_time(event.at)}
    if event.opened is not None:
        document["openedStep"] = event.opened
    if event.rollback_step is not None:
        document["rolledBackStep"] = event.rollback_step
    if event.task is not None:
        document["status"] = event.task
    if event.step is not None:
        document["step"] = event.step
    if event.changed:
        first = task.first_subtask_id
        document["subtasks"] = {
            status.value: [[format_id(first + one), format_id(first + other)] for one, other in spans]
            for status, spans in event.changed.items()
        }
    return document
