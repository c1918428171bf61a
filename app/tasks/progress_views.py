"""How a task stands and what changed, as those who watch it read it. OCP has no such documents."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from app.http.wire import long, stamp
from app.tasks.views import progress_document
from core.event import TaskEvent
from core.record import TaskRecord

Document = dict[str, object]
NAMED: Final = 1000
"""At most so many hosts that failed are named in one message; how many there are is said besides."""


def standing_document(task: TaskRecord, failed_hosts: Iterator[int]) -> Document:
    """Return where a task stands: its status, each step's counts, the hosts that failed."""
    named = [long(host_id) for host_id in islice(failed_hosts, NAMED)]
    document: Document = {
        "failedHostCount": len(named) + sum(1 for _ in failed_hosts),
        "failedHostIds": named,
        "id": long(task.id),
        "operation": task.operation,
        "progress": progress_document(task),
        "status": task.status,
    }
    if task.finished is not None:
        document["finishTime"] = stamp(task.finished)
    return document


def changes_document(task: TaskRecord, events: Iterable[TaskEvent]) -> list[Document]:
    """Return what happened, oldest first: which subtasks have which status now, what was opened, what the task became.

    Neighbouring subtasks are given as `[first id, last id]`.
    """
    return [_change(task, event) for event in events]


def _change(task: TaskRecord, event: TaskEvent) -> Document:
    document: Document = {"time": stamp(event.at)}
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
            status.value: [[long(first + one), long(first + other)] for one, other in spans]
            for status, spans in event.changed.items()
        }
    return document
