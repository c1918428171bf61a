"""How far a task is, folded from its counts: no subtask is read for it."""

from dataclasses import dataclass

from core.record import TaskRecord
from core.status import Status


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How many subtasks of one step have each status."""

    name: str
    size: int
    by_status: dict[Status, int]
    """Statuses that no subtask has are left out."""

    @property
    def settled(self) -> int:
        """How many are over, well or badly."""
        return self.by_status.get(Status.SUCCESSFUL, 0) + self.by_status.get(Status.FAILED, 0)


def compute_progress(task: TaskRecord) -> tuple[StepProgress, ...]:
    """Return the progress of each step, in order."""
    return tuple(
        StepProgress(planned.step.name, planned.size, _by_status(task, planned.index, planned.size))
        for planned in task.plan
    )


def _by_status(task: TaskRecord, index: int, size: int) -> dict[Status, int]:
    counted = {status: count for (step, status), count in task.counts.items() if step == index and count}
    if index == task.rollback_step and Status.SUCCESSFUL in counted:  # waits to be undone
        counted[Status.READY] = counted.get(Status.READY, 0) + counted.pop(Status.SUCCESSFUL)
    rest = size - sum(counted.values())
    if rest:
        untouched = task.derive_initial(index).status
        counted[untouched] = counted.get(untouched, 0) + rest
    return counted
