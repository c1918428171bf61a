"""What the store keeps of a task: its head, and of each subtask only what happened to it.

Times are milliseconds since the epoch, by the clock of the process that caused the change. They are shown to people;
nothing is ever decided by comparing them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from core.audit import AuditEntry
from core.host import HostState, infer_state
from core.plan import Plan, PlannedStep
from core.status import Operation, Status, TaskStatus
from core.step import TaskType
from core.task_types import TASK_TYPES

RECORD_VERSION = 1
"""The newest version of a record that this code knows, from 1. It makes such records, and works on older ones too.

It leaves newer ones alone: it does not claim, reopen, publish or change them. A new task type raises the version too,
because queues and reconcilers are chosen by it. When you raise it, keep the fields of a task's head readable for older
code, which lists such tasks while both run.
"""


@dataclass(frozen=True, slots=True)
class Creator:
    """The user who made a request."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid request that is about to become a task."""

    task_type: TaskType
    """What to do."""
    host_ids: tuple[int, ...]
    """On which hosts: at least one, without duplicates, in the order given."""
    creator: Creator
    """The user who asked."""
    executor: str
    """The address of the API process that accepted it."""
    trace_id: str
    """The request's trace id."""
    at: int
    """When it was accepted."""
    entry: AuditEntry | None = None
    """The request's audit entry, without the task's id. The store keeps the entry and the task, or neither."""

    def on(self, host_ids: tuple[int, ...]) -> "Draft":
        """Return the same request, for other hosts."""
        return replace(self, host_ids=host_ids)

    def to_task(self, task_id: int, first_subtask_id: int) -> "TaskRecord":
        """Return the head of the new task, with the numbers that the store gave it."""
        return TaskRecord(
            id=task_id,
            version=RECORD_VERSION,
            type_slug=self.task_type.slug,
            host_count=len(self.host_ids),
            first_subtask_id=first_subtask_id,
            creator=self.creator,
            executor=self.executor,
            trace_id=self.trace_id,
            status=TaskStatus.RUNNING,
            operation=Operation.EXECUTE,
            started=self.at,
            finished=None,
            opened=0,
        )


@dataclass(frozen=True, slots=True)
class SubtaskRecord:
    """What has happened to one subtask so far."""

    status: Status = Status.PENDING
    operation: Operation = Operation.EXECUTE
    run_time: int = 1
    """How many times it has run, from 1."""
    executor: str | None = None
    """The worker process that runs it, or ran it last."""
    started: int | None = None
    finished: int | None = None
    token: int | None = None
    """The token of its claim; None if no worker holds one."""
    agent_alive: bool | None = None
    """Whether the last look at its host found the agent alive; None if no run has looked."""
    touched: bool = False
    """Whether a run of it changed the agent on its host, or may have."""


PENDING = SubtaskRecord()
READY = SubtaskRecord(status=Status.READY)


@dataclass(frozen=True)
class TaskRecord:
    """The head of a task: everything about it except its subtasks and its list of hosts."""

    id: int
    version: int
    type_slug: str
    host_count: int
    first_subtask_id: int
    creator: Creator
    executor: str
    trace_id: str
    status: TaskStatus
    operation: Operation
    started: int
    finished: int | None
    opened: int
    """The index of the newest open step."""
    rollback_step: int | None = None
    """The index of the step that is being rolled back, or was last; None for a task that was never rolled back."""
    skipped: bool = False
    """Whether a subtask was ever skipped."""
    cancelled: bool = False
    """Whether it was cancelled and not resumed since: nobody claims its subtasks."""
    turning: bool = False
    """Whether its course is being changed in several calls, the last of which has not come yet."""
    counts: Mapping[tuple[int, Status], int] = field(default_factory=dict)
    """The number of subtasks by step index and stored status. Those to which nothing has happened do not count."""
    changes: int = 1
    """The number of batches of changes, the first of which is its creation. Between two heads of a task with the same
    number nothing has changed, not even a subtask."""

    def to_initial(self) -> "TaskRecord":
        """Return the head as it was when the request was accepted."""
        return replace(
            self,
            status=TaskStatus.RUNNING,
            operation=Operation.EXECUTE,
            finished=None,
            opened=0,
            rollback_step=None,
            skipped=False,
            cancelled=False,
            turning=False,
            counts={},
        )

    @property
    def task_type(self) -> TaskType:
        """The task's type.

        Raises:
            KeyError: this code does not know the type.
        """
        return TASK_TYPES[self.type_slug]

    @property
    def is_known(self) -> bool:
        """Whether this code knows the record's version and the task's type; if not, newer code works on the task."""
        return self.version <= RECORD_VERSION and self.type_slug in TASK_TYPES

    @cached_property
    def plan(self) -> Plan:
        """The task's plan."""
        return Plan(self.task_type, self.host_count)

    @property
    def is_rollback(self) -> bool:
        """Whether its present or latest course is a rollback."""
        return self.rollback_step is not None

    @property
    def current_step(self) -> int:
        """The index of the step in progress: the newest open one, or in a rollback the one being rolled back."""
        return self.opened if self.rollback_step is None else self.rollback_step

    def derive_initial(self, step_index: int) -> SubtaskRecord:
        """Return the record of a subtask of this step to which nothing has happened yet."""
        return READY if step_index <= self.opened else PENDING

    def derive_subtask(self, step_index: int, stored: SubtaskRecord | None) -> SubtaskRecord:
        """Return the record of a subtask of this step, from the stored one (None if nothing has happened to it).

        In a rollback, a subtask that succeeded waits to be rolled back: it is READY once it is its step's turn.
        """
        if stored is None:
            return self.derive_initial(step_index)
        if self.rollback_step is None or stored.status is not Status.SUCCESSFUL:
            return stored
        status = Status.READY if step_index == self.rollback_step else Status.SUCCESSFUL
        return replace(stored, status=status, operation=Operation.ROLLBACK)

    def derive_step(
        self, planned: PlannedStep, stored: Mapping[int, SubtaskRecord]
    ) -> Iterator[tuple[int, SubtaskRecord]]:
        """Yield the seriesId and the record of every subtask of a step, in order."""
        if self.rollback_step is None:
            untouched = self.derive_initial(planned.index)
            for series_id in planned.series:
                yield series_id, stored.get(series_id, untouched)
        else:
            for series_id in planned.series:
                yield series_id, self.derive_subtask(planned.index, stored.get(series_id))

    def derive_subtasks(self, stored: Mapping[int, SubtaskRecord]) -> Iterator[tuple[int, SubtaskRecord]]:
        """Yield the seriesId and the record of every subtask, in plan order."""
        for planned in self.plan:
            yield from self.derive_step(planned, stored)

    def find_last_state(self, stored: Mapping[int, SubtaskRecord], index: int) -> HostState | None:
        """Return what the task's last look at a host found; None if it never looked.

        The order of the steps, reversed in a rollback, tells which look was the last; no clock does.

        Args:
            stored: the stored records of the task's subtasks, by seriesId.
            index: the host's index among the task's hosts.
        """
        looks: list[SubtaskRecord] = []
        undone: list[SubtaskRecord] = []
        for planned in self.plan:
            record = stored.get(planned.first + index) if planned.step.action.is_remote else None
            if record is not None and record.agent_alive is not None:
                looks.append(record)
                # It was rolled back, or its rollback failed or was cancelled.
                if record.operation.is_rollback or (
                    planned.index == self.rollback_step and record.status is Status.FAILED
                ):
                    undone.append(record)
        ended = [record for record in undone if record.finished is not None]
        last = ended[:1] or [record for record in looks if record.finished is not None][-1:] or looks[:1]
        return infer_state(agent_alive=last[0].agent_alive) if last else None
