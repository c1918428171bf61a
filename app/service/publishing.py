"""Getting a stored task going. What is stored is true, a message is a hint: one that cannot be sent is not missed."""

import structlog

from app.fleet import Fleet
from core.errors import BrokerUnavailable
from core.record import TaskRecord
from infra.failpoint import ApiFailpoint

log = structlog.get_logger("ocpfleet.api")


async def publish(fleet: Fleet, task: TaskRecord, step: int = 0, *, back: bool = False) -> None:
    """Publish a task's chain from a step on, or back from there. Where the broker is away a worker does it later."""
    fleet.passing(ApiFailpoint.STORED)
    try:
        await fleet.dispatcher.submit(task, step, back=back)
    except BrokerUnavailable as error:
        log.warning("stored and not published, the workers will", task=task.id, reason=error.sentence)
    fleet.passing(ApiFailpoint.PUBLISHED)
