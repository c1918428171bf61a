"""How a task stands, from the counts of a reply or of an event. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from cli.output import Document

WAIT_NODE: Final = "Wait node"
_BACKWARDS: Final = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class Step:
    """How far one step is."""

    name: str
    counts: Mapping[str, int]
    """How many subtasks have each status."""
    backwards: bool
    """Whether the task is rolled back: then what is PENDING is done."""

    @property
    def size(self) -> int:
        """How many subtasks it has."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self.counts.get("FAILED", 0)

    @property
    def done(self) -> int:
        """How many of them are done."""
        return self.counts.get("PENDING" if self.backwards else "SUCCESSFUL", 0)

    @property
    def untouched(self) -> bool:
        """Whether there is nothing to tell of it yet."""
        return set(self.counts) <= {"SUCCESSFUL" if self.backwards else "PENDING"}

    @override
    def __str__(self) -> str:
        """Return its counts in words: `12/20 done, 5 running, 2 failed`."""
        words = {"RUNNING": "running", "CANCELING": "being cancelled", "READY": "ready", "FAILED": "failed"}
        more = [f"{self.counts[status]} {word}" for status, word in words.items() if self.counts.get(status)]
        return ", ".join([f"{self.done}/{self.size} {'undone' if self.backwards else 'done'}", *more])


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task stands."""

    status: str
    steps: tuple[Step, ...]
    failed_ids: tuple[int, ...] = ()
    """Hosts of which a subtask failed, as far as they are named."""
    failed_count: int = 0
    """How many there are."""


def of_event(data: Document) -> Standing:
    """Return the standing that an event tells."""
    backwards = data["operation"] == _BACKWARDS
    return Standing(
        data["status"],
        steps_of(data["progress"], backwards=backwards),
        tuple(map(int, data["failedHostIds"])),
        data["failedHostCount"],
    )


def steps_of(progress: Iterable[Document], *, backwards: bool = False) -> tuple[Step, ...]:
    """Return the steps of a `progress`."""
    return tuple(Step(one["name"], one["subtasks"], backwards) for one in progress)


def of_task(task: Document) -> tuple[Step, ...]:
    """Return the steps of a task with all its subtasks, in plan order: neighbours of one name are one step."""
    steps: list[tuple[str, Counter[str]]] = []
    for subtask in sorted(task["subtasks"], key=lambda one: int(one["seriesId"])):
        if not steps or steps[-1][0] != subtask["name"]:
            steps.append((subtask["name"], Counter()))
        steps[-1][1][subtask["status"]] += 1
    backwards = task["operation"] == _BACKWARDS
    return tuple(Step(name, counts, backwards) for name, counts in steps)
