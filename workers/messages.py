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
from workers.context import WorkerContext
from workers.steps.lane import LaneResult, run_lane
from workers.steps.store_steps import run_step

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepResult:
    """What is left to publish after the message of a step was handled."""

    opened: int | None = None
    """The step that the message opened: publish the chain from there. None where there is nothing to publish."""
    lanes: bool = False
    """Publish the step's lanes and nothing of the chain: the lane that settles the last host publishes the rest."""


@dataclass(frozen=True, slots=True)
class NamedStep:
    """The step that a message names, as the record has it."""

    task: TaskRecord
    planned: PlannedStep

    @property
    def ready(self) -> int:
        """How many subtasks of the step may be claimed; at least 1."""
        return max(1, compute_progress(self.task)[self.planned.index].by_status.get(Status.READY, 0))


async def find_step(context: WorkerContext, task_id: int, index: int) -> NamedStep | None:
    """Return the step that a message names; None where the record lacks it, or is too new for this code."""
    task = await context.recorder.retry(lambda: context.store.tasks.head(task_id))
    if task is None:
        log.info("message for a task that is gone", task=task_id)
        return None
    if not task.is_known:
        log.warning("message for a newer record, left for a newer worker", task=task_id, version=task.version)
        return None
    if not 0 <= index < len(task.plan.steps):
        log.warning("message for a step that the task does not have", task=task_id, step=index)
        return None
    return NamedStep(task, task.plan.steps[index])


async def handle_message(
    handle: Callable[[WorkerContext, NamedStep], Awaitable[T]], context: WorkerContext, task_id: int, index: int
) -> tuple[NamedStep, T] | None:
    """Handle a message by `handle_step` or `handle_lane`; return None where there is no such step."""
    step = await find_step(context, task_id, index)
    return None if step is None else (step, await handle(context, step))


async def handle_step(context: WorkerContext, step: NamedStep) -> StepResult:
    """Do what the message of a step asks for, as far as the record agrees."""
    if step.planned.step.action.is_remote:
        return StepResult(lanes=step.planned.index == step.task.current_step)
    with _bind_log_context(step):
        return StepResult(opened=await run_step(context, step.task, step.planned))


async def handle_lane(context: WorkerContext, step: NamedStep) -> LaneResult:
    """Work as a lane of a step."""
    if not step.planned.step.action.is_remote:
        log.warning("lane for a step without work on hosts", task=step.task.id, step=step.planned.index)
        return LaneResult(opened=None, handed_over=False)
    with _bind_log_context(step):
        return await run_lane(context, step.task, step.planned)


def _bind_log_context(step: NamedStep) -> AbstractContextManager[object]:
    """Put the request's trace id, the task and the step into every line that is logged meanwhile."""
    task = step.task
    return structlog.contextvars.bound_contextvars(traceId=task.trace_id, task=task.id, step=step.planned.index)
