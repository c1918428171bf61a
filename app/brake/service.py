"""Reads, pulls and releases the fleet's brake."""

import asyncio
from collections.abc import Sequence
from typing import Final

from app.context import Context
from core.brake import Brake
from core.chunks import chunks
from core.errors import BrokerUnavailable
from core.progress import compute_progress
from core.record import TaskRecord
from core.status import Status, TaskStatus
from core.text import say
from infra.store.task_values import TaskQuery
from infra.store.values import CHUNK

_AT_A_TIME: Final = 8
"""How many messages are on their way to the broker at a time."""


async def read_brake(context: Context) -> Brake | None:
    """Return the brake where it is on, or None."""
    return await context.store.brake.get()


async def pull_brake(context: Context, by: str, reason: str) -> Brake:
    """Pull the brake and return it. Where it is already on, it stays as it was pulled first."""
    return await context.store.brake.pull(Brake(by, context.clock(), reason))


async def release_brake(context: Context) -> tuple[Brake | None, int]:
    """Release the brake, and publish again the tasks that waited for it.

    It may be repeated: a task that is published twice does not change.

    Returns:
        The brake as it was (None where it was off), and how many tasks go on.

    Raises:
        BrokerUnavailable: the broker does not answer. The sentence says whether the brake is still on, or off with some
            tasks not published.
    """
    await context.dispatcher.ping()
    was = await context.store.brake.release()
    try:
        return was, await _publish_waiting_tasks(context)
    except BrokerUnavailable as error:
        raise BrokerUnavailable(
            say(
                "{reason} The brake is off, but not every task that waited was published. "
                "Release it again once the broker answers; until then some tasks may wait.",
                reason=error.sentence,
            )
        ) from error


async def _publish_waiting_tasks(context: Context) -> int:
    """Publish the current step of every running task that has something ready. Return how many tasks that are.

    Tasks end while the pages are read, which moves the others, so all pages are read until they show no new task.
    Tasks that were made in the meantime are published by the request that made them.
    """
    seen: set[int] = set()
    newest, published = None, 0
    while True:
        found = [task_id for task_id in await _list_running(context) if newest is None or task_id <= newest]
        newest = max(found, default=0) if newest is None else newest
        fresh = [task_id for task_id in found if task_id not in seen]
        if not fresh:
            return published
        seen.update(fresh)
        for chunk in chunks(fresh, CHUNK):
            published += await _publish(context, tuple((await context.store.tasks.heads(chunk)).values()))


async def _list_running(context: Context) -> list[int]:
    found: list[int] = []
    while True:
        query = TaskQuery(frozenset({TaskStatus.RUNNING}), offset=len(found), limit=CHUNK, ascending=True)
        page = await context.store.tasks.page(query, context.clock())
        found += [task.id for task in page.items]
        if len(page.items) < CHUNK:
            return found


async def _publish(context: Context, tasks: Sequence[TaskRecord]) -> int:
    waiting = [task for task in tasks if _has_unclaimed_work(task)]
    for some in chunks(waiting, _AT_A_TIME):
        await asyncio.gather(
            *(context.dispatcher.submit(task, task.current_step, backwards=task.is_rollback) for task in some)
        )
    return len(waiting)


def _has_unclaimed_work(task: TaskRecord) -> bool:
    """Return whether a task has a ready subtask that nobody has claimed."""
    if task.status is not TaskStatus.RUNNING or not task.is_known:
        return False
    return bool(compute_progress(task)[task.current_step].by_status.get(Status.READY, 0))
