"""What the store is asked about tasks, and what it answers. Times are milliseconds since the epoch."""

from dataclasses import dataclass
from enum import StrEnum

from core.claim import ClaimKey
from core.journal import RunLog
from core.record import TaskRecord
from core.status import TaskStatus


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How much of a step a message asks for."""

    limit: int
    """The most subtasks to claim."""
    whole: bool = False
    """Claim the whole step exclusively, over several calls."""
    own: int | None = None
    """With `whole`, from the second call on: the token of the first subtask that this message claimed."""


@dataclass(frozen=True, slots=True)
class Once:
    """A client's key for its request. A second request with the same key is the same request."""

    key: str
    """Chosen by the client. The same key of another user is another key."""
    digest: str
    """What the request asks for, as hexadecimal digits. The store refuses the same key for another digest."""


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing was stored. The request was made before, and this is its task as it was accepted."""

    task: TaskRecord


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """Nothing was stored. The key belongs to another request."""


class Course(StrEnum):
    """What a person asks for when a task failed."""

    RETRY = "retry"
    """Failed subtasks run again."""
    SKIP = "skip"
    """A failed subtask runs once more as a no-op, and so succeeds."""
    ROLLBACK = "roll back"
    """The task undoes what it did, from the newest step to the first. Only a whole task can be rolled back."""


@dataclass(frozen=True, slots=True)
class CourseChanged:
    """The course was changed. Subtasks of this step are ready, and the caller must publish the step."""

    step: int
    backwards: bool
    """Whether the task goes back from there instead of on."""


@dataclass(frozen=True, slots=True)
class CourseRefused:
    """Nothing was changed."""

    status: str
    """The status of the subtask where one was named, else of the task."""


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log of a run that is not over yet."""

    claim: ClaimKey
    """The claim of the run."""
    log: RunLog
    """What the run has done so far; the log is not closed."""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks a list shows, and how many. A condition that is None matches every task."""

    statuses: frozenset[TaskStatus] | None = None
    """Tasks with one of these statuses."""
    types: frozenset[str] | None = None
    """Tasks of one of these types, by slug."""
    creator: str | None = None
    """Tasks of the user of this name."""
    host_id: int | None = None
    """Tasks about this single host."""
    offset: int = 0
    """How many tasks to skip."""
    limit: int = 10
    """The most tasks to return."""
    ascending: bool = False
    """Oldest first, instead of newest first."""
