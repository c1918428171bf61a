"""The events of a task's stream: one for each batch of changes, in the order in which they were recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.status import Status, TaskStatus

Span = tuple[int, int]
"""The first and the last of consecutive seriesIds."""

NO_EVENT = "0-0"
"""The cursor before the first event of any task."""


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """A batch of changes."""

    id: str
    """Its place in the task's stream, `number-number`; later events have greater ones (see `parse_cursor`)."""
    at: int
    """When it happened."""
    step: int | None = None
    """The index of the step whose subtasks changed, if some did."""
    changed: Mapping[Status, tuple[Span, ...]] = field(default_factory=dict)
    """The subtasks that changed, by their new status."""
    opened: int | None = None
    """The index of the step that was opened, if one was."""
    task: TaskStatus | None = None
    """The task's new status, if it changed."""
    rollback_step: int | None = None
    """The index of the step whose rollback began, if one did."""


def parse_cursor(cursor: str) -> tuple[int, int]:
    """Return a cursor as two numbers, by which cursors are compared.

    Raises:
        ValueError: the text is not a cursor.
    """
    first, dash, second = cursor.partition("-")
    if not (dash and first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
        raise ValueError(f"{cursor!r} is not a place in a stream")
    if max(len(first), len(second)) > _MAX_DIGITS:
        raise ValueError("the cursor is longer than any place in a stream")
    return int(first), int(second)


_MAX_DIGITS = 20
"""Digits of the longest number in a cursor: 64 bits."""
