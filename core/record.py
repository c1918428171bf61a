"""What is kept of a task: its head, and of each subtask only what happened to it.

Times are milliseconds since the epoch, read from the clock of the process that caused the change. They are shown to
people; nothing is ever decided by comparing them.
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
"""The newest form of a record that this code knows, from 1. It makes records of this form and goes on with older ones.

Newer ones it leaves alone: nothing of them is claimed, opened again or published, and nobody asks for changes. It is
raised for a new task type, too, since messages and who reconciles go by it. Whoever raises it keeps the fields of a
task's head readable for older code, which lists the task as long as both run.
"""


@dataclass(frozen=True, slots=True)
class Creator:
    """The user who made a request."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that was checked and is about to become a task."""

    task_type: TaskType
    """What is asked for."""
    host_ids: tuple[int, ...]
    """On which hosts, without duplicates, in the order given; at least one."""
    creator: Creator
    """By whom."""
    executor: str
    """The address of the API process that accepted it."""
    trace_id: str
    """The request's trace id."""
    at: int
    """When it was accepted."""
    entry: AuditEntry | None = None
    """What the audit keeps of the request, but for the task's id: it is kept with the task, both or neither."""

    def on(self, host_ids: tuple[int, ...]) -> "Draft":
        """Return the same request for other hosts."""
        return replace(self, host_ids=host_ids)

    def to_task(self, task_id: int, first_subtask_id: int) -> "TaskRecord":
        """Return the head of the task that this draft becomes under the numbers that the store gave it."""
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
    """What happened to one subtask so far."""

    status: Status = Status.PENDING
    operation: Operation = Operation.EXECUTE
    run_time: int = 1
    """How many times it has been run, from 1."""
    executor: str | None = None
    """The worker process that runs or ran it."""
    started: int | None = None
    finished: int | None = None
    token: int | None = None
    """The claim it is under; None where nobody holds one."""
    agent_alive: bool | None = None
    """What the last look at its host said of the agent; None where no run of it has looked."""
    touched: bool = False
    """Whether a run of it changed the agent on its host, or may have."""


PENDING = SubtaskRecord()
READY = SubtaskRecord(status=Status.READY)


@dataclass(frozen=True)
class TaskRecord:
    """The head of a task: everything about it but its subtasks and its host list."""

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
    """The index of the newest step that has been opened."""
    rollback_step: int | None = None
    """The index of the step that is being undone, or was undone last; None for a task that never was rolled back."""
    skipped: bool = False
    """Whether a subtask of it was ever skipped."""
    cancelled: bool = False
    """Whether it was cancelled and not asked to go on since: nothing of it is claimed."""
    turning: bool = False
    """Whether its course is being changed in several calls, of which the last one has not come yet."""
    counts: Mapping[tuple[int, Status], int] = field(default_factory=dict)
    """How many subtasks of a step (by index) have a stored status; those that nothing happened to are not counted."""
    changes: int = 1
    """How many batches of changes there were, the first being that it was accepted: two heads of a task with the same
    number are the head of the same task, subtasks included."""

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
            KeyError: this code does not know it.
        """
        return TASK_TYPES[self.type_slug]

    @property
    def is_known(self) -> bool:
        """Whether this code knows the form of the record and the task's type; if not, it is left to a newer code."""
        return self.version <= RECORD_VERSION and self.type_slug in TASK_TYPES

    @cached_property
    def plan(self) -> Plan:
        """The task's plan."""
        return Plan(self.task_type, self.host_count)

    @property
    def is_rollback(self) -> bool:
        """Whether it goes, or went last, the way back."""
        return self.rollback_step is not None

    @property
    def current_step(self) -> int:
        """The index of the step that is worked on: the newest open one, or on the way back the one being undone."""
        return self.opened if self.rollback_step is None else self.rollback_step

    def derive_initial(self, step_index: int) -> SubtaskRecord:
        """Return the record of a subtask of that step to which nothing has happened yet."""
        return READY if step_index <= self.opened else PENDING

    def derive_subtask(self, step_index: int, stored: SubtaskRecord | None) -> SubtaskRecord:
        """Return how a subtask of that step stands, from what is stored of it (None where nothing happened to it).

        On the way back what was done is waiting to be undone: ready where it is the step's turn.
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
        """Yield the seriesId of every subtask of a step and how it stands, in order."""
        if self.rollback_step is None:
            untouched = self.derive_initial(planned.index)
            for series_id in planned.series:
                yield series_id, stored.get(series_id, untouched)
        else:
            for series_id in planned.series:
                yield series_id, self.derive_subtask(planned.index, stored.get(series_id))

    def derive_subtasks(self, stored: Mapping[int, SubtaskRecord]) -> Iterator[tuple[int, SubtaskRecord]]:
        """Yield every subtask's seriesId and how it stands, in plan order, from the stored ones."""
        for planned in self.plan:
            yield from self.derive_step(planned, stored)

    def find_last_state(self, stored: Mapping[int, SubtaskRecord], index: int) -> HostState | None:
        """Return what the task's last look at a host (by its index in the task) said; None where it never looked.

        Which one was last is told by the order of the steps, down again on the way back, and by no clock.
        """
        looks: list[SubtaskRecord] = []
        undone: list[SubtaskRecord] = []
        for planned in self.plan:
            record = stored.get(planned.first + index) if planned.step.action.is_remote else None
            if record is not None and record.agent_alive is not None:
                looks.append(record)
                # One that was undone, or that an undoing ended badly in, whoever called that off.
                if record.operation.is_rollback or (
                    planned.index == self.rollback_step and record.status is Status.FAILED
                ):
                    undone.append(record)
        over = [record for record in undone if record.finished is not None]
        over = over[:1] or [record for record in looks if record.finished is not None][-1:] or looks[:1]
        return infer_state(over[0].agent_alive) if over else None
