"""The statuses of tasks and subtasks, and the reasons for which a subtask runs."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a subtask."""

    PENDING = "PENDING"
    """Its step is not open yet, or it was rolled back."""
    READY = "READY"
    """A worker may claim it."""
    RUNNING = "RUNNING"
    """A worker holds a claim on it."""
    CANCELING = "CANCELING"
    """A worker holds a claim on it, and was asked to give it up."""
    FAILED = "FAILED"
    """Its last run failed. It waits for a person."""
    SUCCESSFUL = "SUCCESSFUL"
    """It is done."""


class TaskStatus(StrEnum):
    """The status of a task."""

    RUNNING = "RUNNING"
    """It was accepted and has not ended."""
    FAILED = "FAILED"
    """A subtask failed, and no subtask is ready or running."""
    SUCCESSFUL = "SUCCESSFUL"
    """Every subtask is done."""


class Operation(StrEnum):
    """The reason for which a subtask runs, or ran."""

    @property
    def is_rollback(self) -> bool:
        """Whether it belongs to a rollback: its run ends with the subtask PENDING."""
        return self in {Operation.ROLLBACK, Operation.ROLLBACK_SKIP}

    EXECUTE = "EXECUTE"
    """The first run."""
    RETRY = "RETRY"
    """Another run after it failed."""
    ROLLBACK = "ROLLBACK"
    """A run that undoes what it did."""
    SKIP = "SKIP"
    """A run that does nothing: a person declared it successful."""
    ROLLBACK_SKIP = "ROLLBACK_SKIP"
    """A run of a rollback that does nothing."""
    CANCEL = "CANCEL"
    """It was cancelled."""
