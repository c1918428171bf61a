"""What the API can do: one function a use case. They know neither HTTP nor how anything is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.diagnosis import diagnosis
from app.fleet import Fleet
from app.watching.channel import Channel
from core.errors import (
    BrokerUnavailable,
    FleetError,
    KeyReused,
    NotFound,
    StateInvalid,
    StoreUnavailable,
    TaskNotFound,
    Unavailable,
    UnknownHosts,
)
from core.host import Host
from core.journal import RunLog
from core.record import Creator, Draft, SubtaskRecord, TaskRecord
from core.step import TaskType
from core.user import User
from infra.store.base import (
    AuditPage,
    Course,
    CourseChanged,
    CourseRefused,
    HostPage,
    KeyTaken,
    Known,
    Once,
    TaskPage,
    TaskQuery,
)

LISTED_HOSTS = 100
"""A list names the subtasks of tasks of at most so many hosts, on pages of at most so many tasks, so that no page is
longer than the largest task."""
_CHECK_LIMIT = 3.0
"""Seconds that one part of a readiness check may take."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of each thing that is needed: None where it is there, else what is wrong. Holds no address and no secret."""

    store: str | None
    broker: str | None
    workers: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that became a task, now or when it was made before with the same key."""

    task: TaskRecord
    replayed: bool


async def accept(  # noqa: PLR0913, PLR0917 - a request's particulars
    fleet: Fleet, user: User, task_type: TaskType, host_ids: Sequence[int], trace_id: str, key: str | None = None
) -> Accepted:
    """Accept a request to do something on hosts: store the task first, then publish it.

    Args:
        fleet: what the API works with.
        user: who asks.
        task_type: what for.
        host_ids: on which hosts, distinct, at least one; exactly one for a type that is not parallel.
        trace_id: the request's.
        key: the client's key for it, under which the same request becomes one task however often it is made.

    Raises:
        KeyReused: the key stands for another request.
        UnknownHosts: some hosts are not in the inventory; nothing was stored.
        StoreUnavailable: nothing was stored, as far as can be known.
        BrokerUnavailable: the task could not be published and was withdrawn.
    """
    unknown = await fleet.store.hosts.unknown(host_ids)
    if unknown:
        raise UnknownHosts(unknown, "hostIds" if task_type.parallel else "hostId")
    draft = Draft(
        task_type=task_type,
        host_ids=tuple(host_ids),
        creator=Creator(user.id, user.name),
        executor=fleet.server,
        trace_id=trace_id,
        at=fleet.clock(),
    )
    made = await _made(fleet, draft, key)
    if isinstance(made, Known):
        # The request that made it may still be on its way to the broker, and to publish twice is harmless. It is not
        # withdrawn where that fails: it was accepted.
        await fleet.dispatcher.submit(made.task)
        return Accepted(made.task, replayed=True)
    await _publish(fleet, made)
    return Accepted(made, replayed=False)


async def _made(fleet: Fleet, draft: Draft, key: str | None) -> TaskRecord | Known:
    if key is None:
        return await fleet.store.tasks.create(draft)
    asked = f"{draft.task_type.slug} {' '.join(map(str, draft.host_ids))}"
    made = await fleet.store.tasks.create_once(draft, Once(key, sha256(asked.encode()).hexdigest()))
    if isinstance(made, KeyTaken):
        raise KeyReused(
            f"Idempotency-Key: {key} stands for another request of yours from the last 24 hours. "
            "Use a new key for a new request."
        )
    return made


async def _publish(fleet: Fleet, task: TaskRecord) -> None:
    try:
        await fleet.dispatcher.submit(task)
    except BrokerUnavailable as error:
        if await _withdrawn(fleet, task):
            raise BrokerUnavailable(f"{error.sentence} No task was made.") from error


async def _withdrawn(fleet: Fleet, task: TaskRecord) -> bool:
    """Withdraw a task that was not published. False where a worker works on it: the message arrived after all."""
    try:
        return await fleet.store.tasks.withdraw(task.id)
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"Task {task.id} was stored but not published, and now the store does not answer either. "
            f"Once it does, look at task {task.id} before you try again: it may still run."
        ) from error


async def page_tasks(fleet: Fleet, query: TaskQuery) -> tuple[TaskPage, Mapping[int, Mapping[int, SubtaskRecord]]]:
    """Return a page of tasks, and by task id what happened to the subtasks of those whose subtasks are listed."""
    if not (query.types is None or query.types) or not (query.statuses is None or query.statuses):
        return TaskPage((), 0), {}
    page = await fleet.store.tasks.page(query, fleet.clock())
    listed = [task for task in page.tasks if task.known and task.host_count <= LISTED_HOSTS >= query.limit]
    return page, await fleet.store.tasks.many_subtasks(listed) if listed else {}


async def read_head(fleet: Fleet, task_id: int) -> TaskRecord:
    """Return a task's head.

    Raises:
        TaskNotFound: there is no such task.
    """
    return await _task(fleet, task_id)


async def read_subtasks(fleet: Fleet, task: TaskRecord) -> Mapping[int, SubtaskRecord]:
    """Return what happened to a task's subtasks, at least up to its head."""
    return await fleet.store.tasks.subtasks(task)


async def diagnose(fleet: Fleet, task_id: int) -> tuple[TaskRecord, AsyncIterator[bytes]]:
    """Return a task's head and an archive of all that is known of it, read while it is sent.

    Raises:
        TaskNotFound: there is no such task.
    """
    task = await _task(fleet, task_id)
    stored = await fleet.store.tasks.subtasks(task)
    return task, diagnosis(task, stored, fleet.store.tasks.every_log(task))


async def watch(fleet: Fleet, task_id: int) -> Channel:
    """Return the channel of a task; whoever asked for it leaves it through `fleet.hub`.

    Raises:
        TaskNotFound: there is no such task.
        Unavailable: too many watch already.
    """
    return await fleet.hub.join(await _task(fleet, task_id))


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
    task, series_id = await _subtask(fleet, task_id, subtask_id)
    logs = await fleet.store.tasks.logs(task, series_id)
    if run_time is None:
        return task, logs
    chosen = tuple(log for log in logs if log.run_time == run_time)
    if not chosen:
        there = ", ".join(str(log.run_time) for log in logs) or "none"
        raise TaskNotFound(
            f"runTime: subtask {subtask_id} has no log of run {run_time}. Runs with a log: {there}. "
            "A run has one when it is over."
        )
    return task, chosen


async def _subtask(fleet: Fleet, task_id: int, subtask_id: int) -> tuple[TaskRecord, int]:
    task = await _task(fleet, task_id)
    series_id = subtask_id - task.first_subtask_id
    if not 0 <= series_id < task.plan.size:
        raise TaskNotFound(
            f"Task {task_id} has no subtask {subtask_id}. GET /api/v2/tasks/instances/{task_id} lists them."
        )
    return task, series_id


def _no_task(task_id: int) -> TaskNotFound:
    return TaskNotFound(f"There is no task {task_id}. It was never accepted, was withdrawn, or has expired.")


async def _task(fleet: Fleet, task_id: int) -> TaskRecord:
    task = await fleet.store.tasks.head(task_id)
    if task is None:
        raise _no_task(task_id)
    if not task.known:
        raise Unavailable(f"Task {task_id} was made by a newer ocpfleet than this server. Update the server.")
    return task


async def retry_task(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Run again what failed of a task; return the task as it stands then.

    Raises:
        TaskNotFound: there is no such task.
        StateInvalid: it is not FAILED.
        BrokerUnavailable: the broker does not answer; nothing was changed.
    """
    await _change_course(fleet, await _task(fleet, task_id), Course.RETRY)
    return await _as_it_stands(fleet, task_id)


async def retry_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> tuple[TaskRecord, int, SubtaskRecord]:
    """Run one failed subtask again; return its task, its seriesId and how it stands then. Raises as `retry_task`."""
    task, series_id = await _subtask(fleet, task_id, subtask_id)
    await _change_course(fleet, task, Course.RETRY, series_id)
    record = await fleet.store.tasks.subtask(task, series_id)
    return task, series_id, record or task.untouched(task.plan.step_of(series_id).index)


async def skip_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> None:
    """Let a failed subtask count as successful. Raises as `retry_task`."""
    task, series_id = await _subtask(fleet, task_id, subtask_id)
    await _change_course(fleet, task, Course.SKIP, series_id)


async def _as_it_stands(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    task = await _task(fleet, task_id)
    return task, await fleet.store.tasks.subtasks(task)


async def _change_course(fleet: Fleet, task: TaskRecord, course: Course, series_id: int | None = None) -> None:
    await fleet.dispatcher.ping()  # what was failed stays so, and can be asked again, where nothing can be published
    answer = await fleet.store.tasks.change_course(task, course, fleet.clock(), series_id)
    match answer:
        case CourseChanged(step):
            await fleet.dispatcher.submit(task, step)
        case CourseRefused(status):
            whose = f"Task {task.id}" if series_id is None else f"Subtask {task.first_subtask_id + series_id}"
            raise StateInvalid(f"{whose} is {status}; only what is FAILED can be asked to {course}.")
        case None:
            raise _no_task(task.id)


async def cancel_task(fleet: Fleet, task_id: int) -> tuple[TaskRecord, Mapping[int, SubtaskRecord]]:
    """Stop a whole task; return it as it stands then. Raises TaskNotFound and StateInvalid, as `retry_task`."""
    await _cancel(fleet, await _task(fleet, task_id))
    return await _as_it_stands(fleet, task_id)


async def cancel_subtask(fleet: Fleet, task_id: int, subtask_id: int) -> None:
    """Have the run of a subtask abandoned. Raises TaskNotFound and StateInvalid, as `retry_task`."""
    task, series_id = await _subtask(fleet, task_id, subtask_id)
    await _cancel(fleet, task, series_id)


async def _cancel(fleet: Fleet, task: TaskRecord, series_id: int | None = None) -> None:
    answer = await fleet.store.tasks.cancel(task, fleet.clock(), series_id)
    if isinstance(answer, CourseRefused):
        whose = f"Task {task.id}" if series_id is None else f"Subtask {task.first_subtask_id + series_id}"
        raise StateInvalid(f"{whose} is {answer.status}; only what is RUNNING can be cancelled.")
    if answer is None:
        raise _no_task(task.id)


async def page_hosts(fleet: Fleet, number: int, size: int) -> HostPage:
    """Return a page of the inventory in id order; `number` counts from 1."""
    return await fleet.store.hosts.page((number - 1) * size, size)


async def page_audit(fleet: Fleet, number: int, size: int) -> AuditPage:
    """Return a page of the audit, newest first; `number` counts from 1."""
    return await fleet.store.audit.page((number - 1) * size, size)


async def read_host(fleet: Fleet, host_id: int) -> Host:
    """Return one host.

    Raises:
        NotFound: it is not in the inventory.
    """
    found = await fleet.store.hosts.get((host_id,))
    if host_id not in found:
        raise NotFound(f"There is no host {host_id} in the inventory. GET /api/v2/compute/hosts lists them.")
    return found[host_id]


async def readiness(fleet: Fleet) -> Readiness:
    """See whether requests can be accepted and worked on."""
    store, broker, workers = await asyncio.gather(
        _answers(fleet.store.ping()), _answers(fleet.dispatcher.ping()), _staffed(fleet)
    )
    return Readiness(store, broker, workers)


async def _staffed(fleet: Fleet) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            alive = await fleet.store.workers.alive()
    except (FleetError, TimeoutError):
        return "not known, since the store does not answer"
    return None if alive else "none is alive; start one with `ocpfleet worker`"


async def _answers(ping: Awaitable[None]) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            await ping
    except (FleetError, TimeoutError):
        return "does not answer"
    return None
