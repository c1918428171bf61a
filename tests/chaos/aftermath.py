"""After the faults: waits until every task has ended, rolls back what failed, and reads the final state."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.step import Action
from infra.store.host_values import EVERY_HOST
from infra.store.task_values import TaskQuery
from tests.chaos.invariants import (
    find_open_connections,
    find_open_visits,
    find_stray_processes,
    find_unquiet_workers,
    find_wrong_counts,
)
from tests.chaos.observations import Call, Host, Process, Task, Visit
from tests.chaos.processes import describe_process, list_run_processes
from tests.chaos.rig import APIS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from core.record import SubtaskRecord, TaskRecord
    from infra.store.tasks import Tasks
    from tests.chaos.load import Load
    from tests.chaos.rig import Rig
    from tests.chaos.watch import Watch

_PAGE = 500
_PAUSE = 0.2
"""Seconds between two polls."""
_ROUNDS = 4
"""Times that failed tasks are rolled back; hosts that are still held after that are released."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final state of the system."""

    tasks: Mapping[int, Task]
    hosts: Mapping[int, Host]
    miscounted: list[str]
    """A sentence for each task whose counts differ from its subtasks."""
    keys: list[str]
    """All keys of the store, without their prefix."""
    alive: set[int]
    """The numbers of the live workers."""
    released: int
    """The number of hosts that had to be released."""


async def gather(rig: Rig, watch: Watch, load: Load, released: int) -> Outcome:
    """Read the final state from the store."""
    tasks: dict[int, Task] = {}
    wrong: list[str] = []
    async with rig.system.store() as store:
        heads = [head async for head in _read_tasks(store.tasks)]
        for head in heads:
            hosts = await store.tasks.host_ids(head.id)
            stored = await store.tasks.subtasks(head)
            runs = _count_runs(head, hosts, stored, load.rollbacks[head.id])
            skipped = frozenset(
                hosts[index] for number, index in _list_changing_subtasks(head) if number in load.skipped
            )
            tasks[head.id] = Task(head.status, hosts, runs, head.finished or 0, head.type_slug, skipped)
            wrong += find_wrong_counts(head, stored)
        page = await store.hosts.page(0, _PAGE, EVERY_HOST)
        found = {host.target.host_id: Host(host.agent_status, host.holder) for host in page.items}
        alive = {worker.id for worker in await store.workers.alive()}
    return Outcome(tasks, found, wrong, list(watch.list_keys()), alive, released)


async def _read_tasks(tasks: Tasks) -> AsyncIterator[TaskRecord]:
    offset = 0
    while found := (await tasks.page(TaskQuery(offset=offset, limit=_PAGE, ascending=True), 0)).items:
        for task in found:
            yield task
        offset += len(found)


def _count_runs(
    head: TaskRecord, hosts: tuple[int, ...], stored: Mapping[int, SubtaskRecord], rollbacks: int
) -> dict[int, int]:
    """Return the number of recorded runs by host. The record does not count rollbacks, so they are added."""
    runs: dict[int, int] = {}
    for number, index in _list_changing_subtasks(head):
        record = stored.get(number - head.first_subtask_id)
        if record is not None and record.executor is not None:
            runs[hosts[index]] = runs.get(hosts[index], 0) + record.run_time + rollbacks
    return runs


def _list_changing_subtasks(head: TaskRecord) -> Iterator[tuple[int, int]]:
    """Yield the id of each subtask that stops or starts an agent, and the index of its host in the task."""
    for planned in head.plan:
        if planned.step.action in {Action.STOP_AGENT, Action.START_AGENT}:
            for index, series in enumerate(planned.series):
                yield head.first_subtask_id + series, index


def read_statuses(rig: Rig) -> dict[int, str]:
    """Read the status of every task over HTTP."""
    found: dict[int, str] = {}
    page, size = 1, 500
    while True:
        contents = _read(rig, "/tasks/instances", page=page, size=size)
        found |= {int(task["id"]): task["status"] for task in contents}
        if len(contents) < size:
            return found
        page += 1


def wait_for_tasks(rig: Rig, supervise: Callable[[], None], limit: float) -> dict[int, str]:
    """Wait up to `limit` seconds until every task has ended by itself; return the statuses of all tasks."""
    end = time.monotonic() + limit
    while time.monotonic() < end and _read(rig, "/tasks/instances", status="RUNNING", size=1):
        supervise()
        time.sleep(_PAUSE)
    return read_statuses(rig)


def give_back(rig: Rig, load: Load, supervise: Callable[[], None]) -> int:
    """Roll back failed tasks that hold hosts; release hosts that are still held after that, and return their number."""
    client = rig.system.client
    for _ in range(_ROUNDS):
        for task in sorted(set(read_holders(rig).values())):
            load.ask(client, "rollback", f"/tasks/instances/{task}/rollback")
        wait_for_tasks(rig, supervise, 90)
    held = read_holders(rig)
    for host in held:
        load.ask(client, "release", f"/compute/hosts/{host}/release")
    return len(held)


def wait_for_quiet(watch: Watch, workers: int, limit: float) -> list[str]:
    """Wait up to `limit` seconds until no worker has a claim and dead workers are gone from the record.

    Returns:
        The last result of `find_unquiet_workers`.
    """
    end = time.monotonic() + limit
    while (found := find_unquiet_workers(watch.latest.names, watch.latest.claims, workers)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return found


def wait_for_hang_up(log: Path, hosts: int, limit: float) -> tuple[list[Visit], dict[int, bool]]:
    """Wait up to `limit` seconds until every connection to a host is closed.

    Returns:
        The visits and the live agents, as `read_log` returns them.
    """
    end = time.monotonic() + limit
    while True:
        visits, alive = read_log(log.read_text().splitlines(), hosts)
        if time.monotonic() > end or not find_open_visits(visits):
            return visits, alive
        time.sleep(_PAUSE)


def wait_for_few_processes(rig: Rig, most: int, limit: float) -> list[Process]:
    """Wait until there are no unknown processes and no unexpected connections.

    Args:
        rig: the system.
        most: the maximum of open connections per process.
        limit: seconds to wait.

    Returns:
        The APIs, the workers, and every unknown process.
    """
    end = time.monotonic() + limit
    while True:
        names = {child.process.pid: child.name for child in rig.children if child.process}
        found = [describe_process(pid, names.get(pid, "")) for pid in list_run_processes(rig.run)]
        ours = [one for one in found if one.name in {"", *APIS, *rig.lives}]
        if time.monotonic() > end or not (find_stray_processes(found) or find_open_connections(ours, most)):
            return ours
        time.sleep(_PAUSE)


def wait_for_survivors(run: str, limit: float) -> list[Process]:
    """Wait up to `limit` seconds until no process of a run is left; return the processes that are left."""
    end = time.monotonic() + limit
    while (left := [describe_process(pid, "") for pid in list_run_processes(run)]) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return left


def read_holders(rig: Rig) -> dict[int, int]:
    """Read the task that holds each held host, by host id."""
    contents = _read(rig, "/compute/hosts", size=_PAGE)
    return {int(host["id"]): int(host["holderTaskId"]) for host in contents if host["holderTaskId"] is not None}


def _read(rig: Rig, path: str, **params: int | str) -> list[dict[str, Any]]:
    reply = rig.system.client.get(path, params=params)
    reply.raise_for_status()
    contents: list[dict[str, Any]] = reply.json()["data"]["contents"]
    return contents


def read_log(lines: Iterable[str], count: int) -> tuple[list[Visit], dict[int, bool]]:
    """Read the log of the hosts.

    Returns:
        Every visit, and by host whether its agent is alive in the end.
    """
    visits: dict[int, Visit] = {}
    calls: dict[int, Call] = {}
    alive = dict.fromkeys(range(1, count + 1), True)
    for line in map(json.loads, lines):
        match line["edge"]:
            case "come":
                visits[line["visit"]] = Visit(line["host"], line["who"], line["at"])
            case "gone":
                visits[line["visit"]].ended = line["at"]
            case "begin":
                calls[line["call"]] = Call(line["verb"], line["at"])
                visits[line["visit"]].calls.append(calls[line["call"]])
            case "end":
                calls[line["call"]].ended, calls[line["call"]].answer = line["at"], line["answer"]
                alive[line["host"]] = line["alive"]
            case _:
                pass
    return list(visits.values()), alive
