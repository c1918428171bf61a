"""The progress of a task, from the counts in a reply or an event. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from cli.output import Document

WAIT_NODE: Final = "Wait node"
_ROLLBACK: Final = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The progress of one step."""

    name: str
    counts: Mapping[str, int]
    """The number of subtasks by status."""
    backwards: bool
    """Whether the task is rolled back; then a PENDING subtask has been undone."""

    @property
    def size(self) -> int:
        """The number of its subtasks."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """The number of subtasks that failed."""
        return self.counts.get("FAILED", 0)

    @property
    def done(self) -> int:
        """The number of subtasks that are done, or in a rollback undone."""
        return self.counts.get("PENDING" if self.backwards else "SUCCESSFUL", 0)

    @property
    def is_untouched(self) -> bool:
        """Whether no subtask has begun yet."""
        return set(self.counts) <= {"SUCCESSFUL" if self.backwards else "PENDING"}

    @override
    def __str__(self) -> str:
        """Return its counts in words: `12/20 done, 5 running, 2 failed`."""
        words = {"RUNNING": "running", "CANCELING": "being cancelled", "READY": "ready", "FAILED": "failed"}
        more = [f"{self.counts[status]} {word}" for status, word in words.items() if self.counts.get(status)]
        return ", ".join([f"{self.done}/{self.size} {'undone' if self.backwards else 'done'}", *more])


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """The progress of a task."""

    status: str
    steps: tuple[StepProgress, ...]
    failed_ids: tuple[int, ...] = ()
    """Ids of hosts with a failed subtask; the API names only the first ones."""
    failed_count: int = 0
    """The number of all such hosts."""


def read_event(data: Document) -> TaskProgress:
    """Return the progress in an event."""
    backwards = data["operation"] == _ROLLBACK
    return TaskProgress(
        data["status"],
        read_steps(data["progress"], backwards=backwards),
        tuple(map(int, data["failedHostIds"])),
        data["failedHostCount"],
    )


def read_steps(progress: Iterable[Document], *, backwards: bool = False) -> tuple[StepProgress, ...]:
    """Return the steps in a reply's `progress`."""
    return tuple(StepProgress(one["name"], one["subtasks"], backwards) for one in progress)


def count_steps(task: Document) -> tuple[StepProgress, ...]:
    """Return the steps of a task with all its subtasks, in plan order. Neighbours with the same name are one step."""
    steps: list[tuple[str, Counter[str]]] = []
    for subtask in sorted(task["subtasks"], key=lambda one: int(one["seriesId"])):
        if not steps or steps[-1][0] != subtask["name"]:
            steps.append((subtask["name"], Counter()))
        steps[-1][1][subtask["status"]] += 1
    backwards = task["operation"] == _ROLLBACK
    return tuple(StepProgress(name, counts, backwards) for name, counts in steps)
