"""Getting a stored task going. What is stored is true, a message is a hint: one that cannot be sent is not missed.

So nobody waits for the broker: what is to be published is posted, and goes out once the reply has. An API process
that is told to stop does that first; of one that dies the workers find what was stored and never published.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from starlette.types import Scope

from core.errors import BrokerUnavailable
from core.record import TaskRecord
from infra.failpoint import ApiFailpoint

if TYPE_CHECKING:
    from app.context import Fleet

_MOST: Final = 1000
"""So many chains wait to be published at a time; more than that are left to the workers."""

log = structlog.get_logger("ocpfleet.api")


@dataclass(frozen=True, slots=True)
class Posted:
    """A chain to be published: a task's from a step on, or back from there."""

    task: TaskRecord
    step: int
    backwards: bool


@dataclass(slots=True)
class Outbox:
    """What one API process has yet to publish."""

    waiting: deque[Posted] = field(default_factory=deque)
    busy: bool = False
    """Whether somebody is publishing it; all that comes in meanwhile is then published by the same."""


def publish(fleet: "Fleet", task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
    """Have a task's chain published from a step on, or back from there, once the reply is out."""
    fleet.reach_failpoint(ApiFailpoint.STORED)
    if len(fleet.outbox.waiting) >= _MOST:
        log.warning("stored and not published, the workers will", task=task.id, reason="too many wait for the broker")
        return
    fleet.outbox.waiting.append(Posted(task, step, backwards))


async def publish_posted(scope: Scope) -> None:
    """Publish what was posted, by whichever request; called after each reply.

    One at a time, since a broker that hangs would else keep a thread for each. Where it is away, all that waits is left
    to the workers.
    """
    fleet: Fleet = scope["app"].state.fleet
    outbox = fleet.outbox
    if outbox.busy:
        return
    outbox.busy = True
    try:
        while outbox.waiting:
            fleet.reach_failpoint(ApiFailpoint.REPLIED)
            posted = outbox.waiting.popleft()
            await fleet.dispatcher.submit(posted.task, posted.step, backwards=posted.backwards)
    except BrokerUnavailable as error:
        left = [posted.task.id, *(one.task.id for one in outbox.waiting)]
        outbox.waiting.clear()
        log.warning("stored and not published, the workers will", tasks=left, reason=error.sentence)
    finally:
        outbox.busy = False
