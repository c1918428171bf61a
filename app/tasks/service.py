"""Reads tasks: a page of them, one of them, its hosts, its logs, its archive, and its channel."""

from collections.abc import AsyncIterator, Mapping

from app.context import Context
from app.tasks.diagnosis import write_archive
from app.tasks.find import find_subtask, find_task
from app.tasks.watch.channel import Channel
from app.tasks.watch.hub import Hub
from core.errors import TaskNotFound
from core.journal import RunLog
from core.page import Page
from core.plan import NO_PARALLEL_INDEX
from core.record import SubtaskRecord, TaskRecord
from core.text import say
from infra.store.task_values import TaskQuery

MAX_LISTED = 100
"""A list has the subtasks of tasks of at most this many hosts, on pages of at most this many tasks. So no page is
longer than the largest task."""


async def page_tasks(
    context: Context, query: TaskQuery
) -> tuple[Page[TaskRecord], Mapping[int, Mapping[int, SubtaskRecord]]]:
    """Return a page of tasks, and by task id the records of the subtasks that the page lists."""
    if not (query.types is None or query.types) or not (query.statuses is None or query.statuses):
        return Page((), 0), {}
    page = await context.store.tasks.page(query, context.clock())
    listed = [task for task in page.items if task.is_known and task.host_count <= MAX_LISTED >= query.limit]
    return page, await context.store.tasks.many_subtasks(listed) if listed else {}


async def read_head(context: Context, task_id: int) -> TaskRecord:
    """Return a task's head.

    Raises:
        TaskNotFound: the task does not exist.
    """
    return await find_task(context, task_id)


async def read_subtasks(context: Context, task: TaskRecord) -> Mapping[int, SubtaskRecord]:
    """Return the records of a task's subtasks, at least as new as its head."""
    return await context.store.tasks.subtasks(task)


async def page_task_hosts(
    context: Context, task_id: int, number: int, size: int
) -> tuple[Mapping[int, tuple[int, str | None]], int]:
    """Return a page of a task's hosts, by parallelIdx their id and their alias, and how many there are in all.

    Raises:
        TaskNotFound: the task does not exist.
    """
    task = await find_task(context, task_id)
    host_ids = await context.store.tasks.host_ids(task_id)
    first = (number - 1) * size
    ids_on_page = host_ids[first : first + size]
    known = await context.store.hosts.get(ids_on_page)
    hosts = ((host_id, known[host_id].alias if host_id in known else None) for host_id in ids_on_page)
    return dict(enumerate(hosts, first if task.task_type.parallel else NO_PARALLEL_INDEX)), len(host_ids)


async def diagnose(context: Context, task_id: int) -> tuple[TaskRecord, AsyncIterator[bytes]]:
    """Return a task's head and an archive of all that is known of it. The archive is read while it is sent.

    Raises:
        TaskNotFound: the task does not exist.
    """
    task = await find_task(context, task_id)
    stored = await context.store.tasks.subtasks(task)
    return task, write_archive(task, stored, context.store.tasks.every_log(task))


async def watch(context: Context, hub: Hub, task_id: int) -> Channel:
    """Join the channel of a task. The caller leaves it through the same hub.

    Raises:
        TaskNotFound: the task does not exist.
        Unavailable: there are too many watchers.
    """
    return await hub.join(await find_task(context, task_id))


async def read_log(
    context: Context, task_id: int, subtask_id: int, run_time: int | None = None
) -> tuple[TaskRecord, tuple[RunLog, ...]]:
    """Return a task's head and the logs of one subtask's runs, oldest first. There are none where it has not run.

    Args:
        context: the context of this process.
        task_id: the task.
        subtask_id: the subtask.
        run_time: the number of one run, from 1; None for all runs.

    Raises:
        TaskNotFound: the task, the subtask or a log of that run does not exist.
    """
    task, series_id = await find_subtask(context, task_id, subtask_id)
    logs = await context.store.tasks.logs(task, series_id)
    if run_time is None:
        return task, logs
    chosen = tuple(log for log in logs if log.run_time == run_time)
    if not chosen:
        raise TaskNotFound(
            say(
                "runTime: subtask {subtask} has no log of run {run}. Runs with a log: {there}. A run has a log once "
                "it has gone on for a few seconds or is over.",
                subtask=subtask_id,
                run=run_time,
                there=", ".join(str(log.run_time) for log in logs) or say("none"),
            )
        )
    return task, chosen
