"""What a message makes a worker do: it names a task and a step, and the record says what is to be done, if anything."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from core.plan import PlannedStep
from core.progress import compute_progress
from core.record import TaskRecord
from core.status import Status
from workers.context import Work
from workers.steps.lane import LaneEnd, run_lane
from workers.steps.store_steps import run_step

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepEnd:
    """What is left to publish once the message of a step is dealt with."""

    opened: int | None = None
    """The step that it opened: the chain from there. None where someone else goes on, or nothing is left to do."""
    lanes: bool = False
    """The step's lanes, and nothing of the chain: whoever settles the last host publishes the rest."""


@dataclass(frozen=True, slots=True)
class Found:
    """The step that a message names, as the record has it."""

    task: TaskRecord
    planned: PlannedStep

    @property
    def ready(self) -> int:
        """How many subtasks of the step may be claimed; at least 1."""
        return max(1, compute_progress(self.task)[self.planned.index].by_status.get(Status.READY, 0))


async def find(work: Work, task_id: int, index: int) -> Found | None:
    """Return the step that a message names; None where the record has no such step or this code does not know it."""
    task = await work.recorder.persist(lambda: work.store.tasks.head(task_id))
    if task is None:
        log.info("message for a task that is gone", task=task_id)
        return None
    if not task.is_known:
        log.warning("message for a newer record, left for a newer worker", task=task_id, version=task.version)
        return None
    if not 0 <= index < len(task.plan.steps):
        log.warning("message for a step that the task does not have", task=task_id, step=index)
        return None
    return Found(task, task.plan.steps[index])


async def find_and(
    handle: Callable[[Work, Found], Awaitable[T]], work: Work, task_id: int, index: int
) -> tuple[Found, T] | None:
    """Handle a message by `handle_step` or `handle_lane`; None where there is no such step."""
    found = await find(work, task_id, index)
    return None if found is None else (found, await handle(work, found))


async def handle_step(work: Work, found: Found) -> StepEnd:
    """Do what the message of a step asks for, as far as the record agrees."""
    if found.planned.step.action.is_remote:
        return StepEnd(lanes=found.planned.index == found.task.current_step)
    with _named_in_logs(found):
        return StepEnd(opened=await run_step(work, found.task, found.planned))


async def handle_lane(work: Work, found: Found) -> LaneEnd:
    """Work as a lane of a step."""
    if not found.planned.step.action.is_remote:
        log.warning("lane for a step without host work", task=found.task.id, step=found.planned.index)
        return LaneEnd(opened=None, handed_over=False)
    with _named_in_logs(found):
        return await run_lane(work, found.task, found.planned)


def _named_in_logs(found: Found) -> AbstractContextManager[object]:
    """Put the request's trace id, the task and the step into every line that is logged on the way."""
    task = found.task
    return structlog.contextvars.bound_contextvars(traceId=task.trace_id, task=task.id, step=found.planned.index)
