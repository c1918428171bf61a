"""Takes claims from a worker that does not work on them any more, and publishes their steps."""

from collections.abc import Sequence
from itertools import groupby

import structlog

from core.chunks import chunks
from core.claim import ClaimKey, Worker
from core.journal import Journal, RunLog
from core.outcome.base import WorkersLost
from core.record import TaskRecord
from core.status import TaskStatus
from infra.dispatch import Dispatcher
from infra.store.values import CHUNK, TOO_MANY_LOSSES
from workers.context import WorkerContext

log = structlog.get_logger(__name__)


async def reopen_claims(
    context: WorkerContext, dispatcher: Dispatcher, worker: Worker, claims: Sequence[ClaimKey], *, lost: bool
) -> None:
    """Open a worker's claims again and publish their steps; claims of a newer record are left to newer code.

    Args:
        context: the worker process that reconciles.
        dispatcher: publishes the steps.
        worker: the worker that has the claims.
        claims: the claims.
        lost: whether the worker died with them, which counts as a loss for work on hosts.
    """
    for task_id, of_task in groupby(sorted(claims, key=_get_place), key=lambda claim: claim.task_id):
        task = await context.store.tasks.head(task_id)
        if task is None or not task.is_known:
            continue
        ready = 0
        for chunk in chunks(list(of_task), CHUNK):
            loss = _make_loss_log(context, task, worker) if lost else None
            reopened = await context.store.tasks.reopen(task, worker, chunk, context.clock(), lost=loss)
            ready += reopened.ready
        if ready:
            log.info("claims opened again", task=task.id, subtasks=ready)
            await publish_current_step(context, dispatcher, task)


async def publish_current_step(context: WorkerContext, dispatcher: Dispatcher, task: TaskRecord) -> None:
    """Publish the step that a task is at now, where the task is RUNNING."""
    head = await context.store.tasks.head(task.id)
    if head is not None and head.status is TaskStatus.RUNNING:
        await dispatcher.submit(head, head.current_step, backwards=head.is_rollback)


def _make_loss_log(context: WorkerContext, task: TaskRecord, worker: Worker) -> RunLog:
    """Return the log of a run that was lost once too often."""
    journal = Journal(context.clock)
    journal.add_outcome(WorkersLost(TOO_MANY_LOSSES))
    return RunLog(task.operation, 1, worker.name, tuple(journal.lines))


def _get_place(claim: ClaimKey) -> tuple[int, int]:
    return claim.task_id, claim.series_id
