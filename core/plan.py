"""The plan of a task: its steps unrolled over its hosts. A pure function of the task type and the number of hosts.

Subtasks are numbered in plan order, step after step and host after host. So a subtask's number says everything about
it, and nothing needs to be stored before something happens to it. Every subtask of a step depends on every subtask of
the step before it. Two consecutive steps are never both parallel, so the number of edges grows linearly.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.step import Step, TaskType

NO_PARALLEL_INDEX = -1
"""The parallelIdx of a subtask that has no parallel siblings: a wait node, or any subtask of a task for one host."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, its place in the plan, and its range of subtasks."""

    index: int
    """Its index among the steps, from 0."""
    step: Step
    """The step itself."""
    first: int
    """The seriesId of its first subtask."""
    size: int
    """How many subtasks it has."""
    is_last: bool
    """Whether it is the last step."""

    @property
    def series(self) -> range:
        """The seriesIds of its subtasks."""
        return range(self.first, self.first + self.size)

    def parallel_index(self, series_id: int) -> int:
        """Return the index of the subtask's host among the task's hosts, or `NO_PARALLEL_INDEX`."""
        return series_id - self.first if self.step.per_host else NO_PARALLEL_INDEX


@dataclass(frozen=True)
class Plan:
    """The unrolled steps of a task of `task_type` over `host_count` hosts (at least 1)."""

    task_type: TaskType
    host_count: int

    @cached_property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps in order, each with its range of seriesIds."""
        planned: list[PlannedStep] = []
        first = 0
        final = len(self.task_type.steps) - 1
        for index, step in enumerate(self.task_type.steps):
            size = self.host_count if step.per_host else 1
            planned.append(PlannedStep(index, step, first, size, is_last=index == final))
            first += size
        return tuple(planned)

    @property
    def size(self) -> int:
        """How many subtasks the task has."""
        return self.steps[-1].first + self.steps[-1].size

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        return tuple(step.first for step in self.steps)

    def find_step(self, series_id: int) -> PlannedStep:
        """Return the step of a subtask.

        Raises:
            IndexError: the plan has no such seriesId.
        """
        if not 0 <= series_id < self.size:
            raise IndexError(series_id)
        return self.steps[bisect_right(self._firsts, series_id) - 1]

    def upstream(self, step: PlannedStep) -> range:
        """Return the seriesIds that every subtask of a step depends on: those of the step before it."""
        return self.steps[step.index - 1].series if step.index else range(0)

    def downstream(self, step: PlannedStep) -> range:
        """Return the seriesIds that depend on every subtask of a step: those of the step after it."""
        return range(0) if step.is_last else self.steps[step.index + 1].series

    def parallel_indices(self, step: PlannedStep) -> Sequence[int]:
        """Return the parallelIdx of each of a step's subtasks, in order, as clients see it.

        For a task of one host it is always -1, although the subtasks belong to that host.
        """
        if not (self.task_type.parallel and step.step.per_host):
            return [NO_PARALLEL_INDEX] * step.size
        return range(step.size)

    def __iter__(self) -> Iterator[PlannedStep]:
        return iter(self.steps)
