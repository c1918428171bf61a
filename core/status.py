"""The words for where a task and a subtask stand, and why a subtask runs."""

from enum import StrEnum


class Status(StrEnum):
    """Where a subtask stands."""

    PENDING = "PENDING"
    """Its step has not been opened, or it was rolled back."""
    READY = "READY"
    """It may be claimed."""
    RUNNING = "RUNNING"
    """A worker holds a claim on it."""
    CANCELING = "CANCELING"
    """A worker holds a claim on it and has been asked to let go."""
    FAILED = "FAILED"
    """Its last run failed; it waits for a person."""
    SUCCESSFUL = "SUCCESSFUL"
    """It is done."""


class TaskStatus(StrEnum):
    """Where a task stands."""

    RUNNING = "RUNNING"
    """From the moment it is accepted."""
    FAILED = "FAILED"
    """A subtask failed and none is on its way any more."""
    SUCCESSFUL = "SUCCESSFUL"
    """Every subtask is done."""


class Operation(StrEnum):
    """Why a subtask runs, or ran."""

    @property
    def is_rollback(self) -> bool:
        """Whether it is a way back: its run ends with the subtask PENDING."""
        return self in {Operation.ROLLBACK, Operation.ROLLBACK_SKIP}

    EXECUTE = "EXECUTE"
    """For the first time."""
    RETRY = "RETRY"
    """Again, after it failed."""
    ROLLBACK = "ROLLBACK"
    """Backwards, to undo what it did."""
    SKIP = "SKIP"
    """As a no-op: a person declared it successful."""
    ROLLBACK_SKIP = "ROLLBACK_SKIP"
    """As a no-op on the way back."""
    CANCEL = "CANCEL"
    """It was told to let go."""
