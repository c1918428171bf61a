"""How far a task has got. It is computed from the task's counts, without reading any subtask."""

from dataclasses import dataclass

from core.record import TaskRecord
from core.status import Status


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The number of subtasks of one step, by status."""

    name: str
    size: int
    by_status: dict[Status, int]
    """Without the statuses that no subtask has."""

    @property
    def settled(self) -> int:
        """How many have ended, successfully or not."""
        return self.by_status.get(Status.SUCCESSFUL, 0) + self.by_status.get(Status.FAILED, 0)


def compute_progress(task: TaskRecord) -> tuple[StepProgress, ...]:
    """Return the progress of each step, in order."""
    return tuple(
        StepProgress(planned.step.name, planned.size, _by_status(task, planned.index, planned.size))
        for planned in task.plan
    )


def _by_status(task: TaskRecord, index: int, size: int) -> dict[Status, int]:
    counted = {status: count for (step, status), count in task.counts.items() if step == index and count}
    if index == task.rollback_step and Status.SUCCESSFUL in counted:  # these wait to be rolled back
        counted[Status.READY] = counted.get(Status.READY, 0) + counted.pop(Status.SUCCESSFUL)
    rest = size - sum(counted.values())
    if rest:
        untouched = task.derive_initial(index).status
        counted[untouched] = counted.get(untouched, 0) + rest
    return counted
