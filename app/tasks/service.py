"""To look at tasks: one, many, their logs, all there is of one, and one as it goes on."""

from collections.abc import AsyncIterator, Mapping

from app.context import Fleet
from app.tasks.diagnosis import diagnosis
from app.tasks.find import find_subtask, find_task
from app.tasks.watch.channel import Channel
from core.errors import TaskNotFound
from core.journal import RunLog
from core.page import Page
from core.plan import NO_PARALLEL_INDEX
from core.record import SubtaskRecord, TaskRecord
from core.text import say
from infra.store.task_values import TaskQuery

LISTED_HOSTS = 100
"""A list names the subtasks of tasks of at most so many hosts, on pages of at most so many tasks, so that no page is
longer than the largest task."""


async def page_tasks(
    fleet: Fleet, query: TaskQuery
) -> tuple[Page[TaskRecord], Mapping[int, Mapping[int, SubtaskRecord]]]:
    """Return a page of tasks, and by task id what happened to the subtasks of those whose subtasks are listed."""
    if not (query.types is None or query.types) or not (query.statuses is None or query.statuses):
        return Page((), 0), {}
    page = await fleet.store.tasks.page(query, fleet.clock())
    listed = [task for task in page.items if task.is_known and task.host_count <= LISTED_HOSTS >= query.limit]
    return page, await fleet.store.tasks.many_subtasks(listed) if listed else {}


async def read_head(fleet: Fleet, task_id: int) -> TaskRecord:
    """Return a task's head.

    Raises:
        TaskNotFound: there is no such task.
    """
    return await find_task(fleet, task_id)


async def read_subtasks(fleet: Fleet, task: TaskRecord) -> Mapping[int, SubtaskRecord]:
    """Return what happened to a task's subtasks, at least up to its head."""
    return await fleet.store.tasks.subtasks(task)


async def page_task_hosts(
    fleet: Fleet, task_id: int, number: int, size: int
) -> tuple[Mapping[int, tuple[int, str | None]], int]:
    """Return a page of a task's hosts, by parallelIdx their id and their alias, and how many there are in all.

    Raises:
        TaskNotFound: there is no such task.
    """
    task = await find_task(fleet, task_id)
    host_ids = await fleet.store.tasks.host_ids(task_id)
    first = (number - 1) * size
    chosen = host_ids[first : first + size]
    known = await fleet.store.hosts.get(chosen)
    hosts = ((host_id, known[host_id].alias if host_id in known else None) for host_id in chosen)
    return dict(enumerate(hosts, first if task.task_type.parallel else NO_PARALLEL_INDEX)), len(host_ids)


async def diagnose(fleet: Fleet, task_id: int) -> tuple[TaskRecord, AsyncIterator[bytes]]:
    """Return a task's head and an archive of all that is known of it, read while it is sent.

    Raises:
        TaskNotFound: there is no such task.
    """
    task = await find_task(fleet, task_id)
    stored = await fleet.store.tasks.subtasks(task)
    return task, diagnosis(task, stored, fleet.store.tasks.every_log(task))


async def watch(fleet: Fleet, task_id: int) -> Channel:
    """Return the channel of a task; whoever asked for it leaves it through `fleet.hub`.

    Raises:
        TaskNotFound: there is no such task.
        Unavailable: too many watch already.
    """
    return await fleet.hub.join(await find_task(fleet, task_id))


async def read_log(
    fleet: Fleet, task_id: int, subtask_id: int, run_time: int | None = None
) -> tuple[TaskRecord, tuple[RunLog, ...]]:
    """Return a task's head and the logs of one subtask's runs, oldest first; none where it has not run.

    Args:
        fleet: what this process works with.
        task_id: which task.
        subtask_id: which subtask of it.
        run_time: which run alone, from 1; None for all of them.

    Raises:
        TaskNotFound: there is no such task, the subtask is not one of its own, or there is no log of that run.
    """
    task, series_id = await find_subtask(fleet, task_id, subtask_id)
    logs = await fleet.store.tasks.logs(task, series_id)
    if run_time is None:
        return task, logs
    chosen = tuple(log for log in logs if log.run_time == run_time)
    if not chosen:
        raise TaskNotFound(
            say(
                "runTime: subtask {subtask} has no log of run {run}. Runs with a log: {there}. "
                "A run has one as soon as it has gone on for a few seconds, or is over.",
                subtask=subtask_id,
                run=run_time,
                there=", ".join(str(log.run_time) for log in logs) or say("none"),
            )
        )
    return task, chosen
