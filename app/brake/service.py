"""The fleet's brake: to look at it, to pull it, to release it."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from app.context import Fleet
from core.brake import Brake
from core.chunks import chunks
from core.errors import BrokerUnavailable, InvalidRequest
from core.progress import compute_progress
from core.record import TaskRecord
from core.status import Status, TaskStatus
from core.text import say
from infra.store.task_values import TaskQuery
from infra.store.values import CHUNK

LONGEST: Final = 300
"""Characters of a reason."""
ONE_LINE: Final = r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
"""What a reason is made of: something visible, no control characters and no line ends."""
_AT_A_TIME: Final = 8
"""Messages that are on their way to the broker together."""


def checked_reason(reason: str) -> str:
    """Return why the brake is pulled, as it may be kept.

    Raises:
        InvalidRequest: it is empty, too long, or more than a line.
    """
    if len(reason) > LONGEST or not re.fullmatch(ONE_LINE, reason):
        sentence = say("reason: say in one line of at most {most} characters why nothing may start.", most=LONGEST)
        raise InvalidRequest("reason", reason[:LONGEST], sentence)
    return reason.strip()


async def read_brake(fleet: Fleet) -> Brake | None:
    """Return the brake where it is on, or None."""
    return await fleet.store.brake.get()


async def pull_brake(fleet: Fleet, by: str, reason: str) -> Brake:
    """Put the brake on and return it as it stands; where it is on already, it stays as whoever was first left it."""
    return await fleet.store.brake.pull(Brake(by, fleet.clock(), reason))


async def release_brake(fleet: Fleet) -> tuple[Brake | None, int]:
    """Take the brake off, and publish again what met it.

    It can be asked for as often as need be: what is published twice changes nothing.

    Returns:
        What the brake was (None where it was off), and how many tasks go on.

    Raises:
        BrokerUnavailable: the broker does not answer. The brake is still on, or off with some tasks not published: the
            sentence says which.
    """
    await fleet.dispatcher.ping()
    was = await fleet.store.brake.release()
    try:
        return was, await _publish_what_waits(fleet)
    except BrokerUnavailable as error:
        raise BrokerUnavailable(
            say(
                "{reason} The brake is off, but not every task that waited was published. "
                "Release it again once the broker answers; until then some tasks may wait.",
                reason=error.sentence,
            )
        ) from error


async def _publish_what_waits(fleet: Fleet) -> int:
    """Publish the current step of every running task that has something ready; return of how many.

    Tasks end while the pages are read, which moves the others: so all pages are read until they show no task that was
    not seen. Tasks that were made since are published by whoever made them.
    """
    seen: set[int] = set()
    newest, published = None, 0
    while True:
        found = [task_id for task_id in await _running(fleet) if newest is None or task_id <= newest]
        newest = max(found, default=0) if newest is None else newest
        fresh = [task_id for task_id in found if task_id not in seen]
        if not fresh:
            return published
        seen.update(fresh)
        for chunk in chunks(fresh, CHUNK):
            published += await _publish(fleet, tuple((await fleet.store.tasks.heads(chunk)).values()))


async def _running(fleet: Fleet) -> list[int]:
    found: list[int] = []
    while True:
        query = TaskQuery(frozenset({TaskStatus.RUNNING}), offset=len(found), limit=CHUNK, ascending=True)
        page = await fleet.store.tasks.page(query, fleet.clock())
        found += [task.id for task in page.items]
        if len(page.items) < CHUNK:
            return found


async def _publish(fleet: Fleet, tasks: Sequence[TaskRecord]) -> int:
    waiting = [task for task in tasks if _waits(task)]
    for some in chunks(waiting, _AT_A_TIME):
        await asyncio.gather(
            *(fleet.dispatcher.submit(task, task.current_step, backwards=task.is_rollback) for task in some)
        )
    return len(waiting)


def _waits(task: TaskRecord) -> bool:
    """Return whether a task has something ready that nobody has claimed."""
    if task.status is not TaskStatus.RUNNING or not task.is_known:
        return False
    return bool(compute_progress(task)[task.current_step].by_status.get(Status.READY, 0))
