"""What a task's stream says: one event for each batch of changes, in the order in which they were recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.status import Status, TaskStatus

Span = tuple[int, int]
"""The first and the last of neighbouring seriesIds."""

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
    """The index of the step whose subtasks changed, where some did."""
    changed: Mapping[Status, tuple[Span, ...]] = field(default_factory=dict)
    """By new status: the subtasks that have it now."""
    opened: int | None = None
    """The index of the step that was opened, where one was."""
    task: TaskStatus | None = None
    """The task's status, where it changed."""
    rollback_step: int | None = None
    """The index of the step whose undoing began, where one did."""


def parse_cursor(cursor: str) -> tuple[int, int]:
    """Return what cursors are compared by.

    Raises:
        ValueError: the text is no cursor.
    """
    first, dash, second = cursor.partition("-")
    if not (dash and first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
        raise ValueError(f"{cursor!r} is no place in a stream")
    if max(len(first), len(second)) > _DIGITS:
        raise ValueError("longer than any place in a stream")
    return int(first), int(second)


_DIGITS = 20
"""Of the longest number in a cursor: 64 bits."""
