"""Publishes stored tasks once the reply is out.

The stored task is the truth and a message is only a hint, so no client waits for the broker. An API process that is
told to stop first publishes what is left. Where a process dies, the workers find what was stored and never published.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.requests import Request

from core.errors import BrokerUnavailable
from core.record import TaskRecord
from infra.dispatch import Dispatcher
from infra.failpoint import ApiFailpoint, FailpointHook, ignore_failpoint

_MAX_WAITING: Final = 1000
"""How many chains may wait to be published. More than that are left to the workers."""

log = structlog.get_logger("ocpfleet.api")


@dataclass(frozen=True, slots=True)
class _Chain:
    """A chain to publish: a task's from a step on, or back from there."""

    task: TaskRecord
    step: int
    backwards: bool


class Outbox:
    """The chains that one API process has yet to publish.

    Args:
        dispatcher: publishes them.
        reach_failpoint: called where a crash would hurt most.
    """

    def __init__(self, dispatcher: Dispatcher, reach_failpoint: FailpointHook = ignore_failpoint) -> None:
        self._dispatcher = dispatcher
        self._reach_failpoint = reach_failpoint
        self._waiting: deque[_Chain] = deque()
        self._is_publishing = False

    def post(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        """Have a task's chain published from a step on, or back from there, once the reply is out."""
        self._reach_failpoint(ApiFailpoint.STORED)
        if len(self._waiting) >= _MAX_WAITING:
            log.warning(
                "stored and not published, the workers will", task=task.id, reason="too many wait for the broker"
            )
            return
        self._waiting.append(_Chain(task, step, backwards))

    async def publish(self) -> None:
        """Publish all that waits.

        One call publishes at a time, for whichever request posted: a broker that hangs would else keep a thread for
        each call. Where the broker is away, all that waits is left to the workers.
        """
        if self._is_publishing:
            return
        self._is_publishing = True
        try:
            while self._waiting:
                self._reach_failpoint(ApiFailpoint.REPLIED)
                chain = self._waiting.popleft()
                await self._dispatcher.submit(chain.task, chain.step, backwards=chain.backwards)
        except BrokerUnavailable as error:
            left = [chain.task.id, *(one.task.id for one in self._waiting)]
            self._waiting.clear()
            log.warning("stored and not published, the workers will", tasks=left, reason=error.sentence)
        finally:
            self._is_publishing = False


def outbox_of(request: Request) -> Outbox:
    """Return the outbox of the process that answers a request."""
    outbox: Outbox = request.app.state.outbox
    return outbox


async def publish_posted(request: Request) -> None:
    """Publish what was posted by this request or another. Called after each reply."""
    await outbox_of(request).publish()
