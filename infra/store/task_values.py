"""What the store takes and answers about tasks. Times are milliseconds since the epoch."""

from dataclasses import dataclass
from enum import StrEnum

from core.claim import ClaimKey
from core.journal import RunLog
from core.record import TaskRecord
from core.status import TaskStatus


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How much of a step a message wants to claim."""

    limit: int
    """At most so many subtasks."""
    whole: bool = False
    """Whether the message claims the whole step, in several calls, and wants nobody beside it."""
    own: int | None = None
    """With `whole`: the token of the first subtask that this message claimed, from the second call on."""


@dataclass(frozen=True, slots=True)
class Once:
    """A client's word that a request is the same one as another with this key."""

    key: str
    """The client's, of this user alone."""
    digest: str
    """Hexadecimal: what is asked for. The same key for something else is refused."""


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing was stored: the request was made before and became this task, shown as it was accepted."""

    task: TaskRecord


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """Nothing was stored: the key stands for another request."""


class Course(StrEnum):
    """What a person wants of a task that failed."""

    RETRY = "retry"
    """Failed subtasks run again."""
    SKIP = "skip"
    """A failed subtask counts as successful: it runs once more as a no-op."""
    ROLLBACK = "roll back"
    """What was done is undone, step by step from the newest to the first. Of a whole task alone."""


@dataclass(frozen=True, slots=True)
class CourseChanged:
    """The course was changed: subtasks of this step became ready, and the step must be published."""

    step: int
    backwards: bool
    """Whether the task goes back from there, and not on."""


@dataclass(frozen=True, slots=True)
class CourseRefused:
    """Nothing was changed."""

    status: str
    """Where the task, or the subtask where one was named, stands."""


@dataclass(frozen=True, slots=True)
class OpenLog:
    """What a run that goes on has done so far."""

    claim: ClaimKey
    """Under which it runs."""
    log: RunLog
    """Not closed."""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks a list shows, and how many of them. A condition that is None lets every task pass."""

    statuses: frozenset[TaskStatus] | None = None
    """Tasks with one of these statuses."""
    types: frozenset[str] | None = None
    """Tasks of one of these types, by slug."""
    creator: str | None = None
    """Tasks of the user of this name."""
    host_id: int | None = None
    """Tasks about this single host."""
    offset: int = 0
    """So many tasks are passed over."""
    limit: int = 10
    """At most so many tasks are returned."""
    ascending: bool = False
    """Oldest first, instead of newest first."""
