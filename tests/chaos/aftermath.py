"""The end: everything is left alone, every task ends by itself, what failed is given back, and all is gathered."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.step import Action
from infra.store.values import EVERY_HOST, TaskQuery
from tests.chaos.invariants import connected, miscounted, strays, unclosed, unquiet
from tests.chaos.observations import Call, Host, Process, Task, Visit
from tests.chaos.processes import described, marked
from tests.chaos.rig import APIS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from core.record import SubtaskRecord, TaskRecord
    from infra.store.values import Tasks
    from tests.chaos.load import Load
    from tests.chaos.rig import Rig
    from tests.chaos.watch import Watch

_PAGE = 500
_PAUSE = 0.2
"""Seconds between two looks."""
_ROUNDS = 4
"""Times that what failed is rolled back; hosts that are held even then are released."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it all stands in the end."""

    tasks: Mapping[int, Task]
    hosts: Mapping[int, Host]
    miscounted: list[str]
    """A sentence for each task whose counts are not what its subtasks are."""
    keys: list[str]
    alive: set[int]
    """The numbers of the live workers."""
    released: int
    """Hosts that had to be released."""


async def gather(rig: Rig, watch: Watch, load: Load, released: int) -> Ended:
    """Read everything from the record."""
    tasks: dict[int, Task] = {}
    wrong: list[str] = []
    async with rig.system.store() as store:
        heads = [head async for head in _heads(store.tasks)]
        for head in heads:
            hosts = await store.tasks.host_ids(head.id)
            stored = await store.tasks.subtasks(head)
            runs = _runs(head, hosts, stored, load.rollbacks[head.id])
            skipped = frozenset(hosts[index] for number, index in _changing(head) if number in load.skipped)
            tasks[head.id] = Task(head.status, hosts, runs, head.finished or 0, head.type_slug, skipped)
            wrong += miscounted(head, stored)
        page = await store.hosts.page(0, _PAGE, EVERY_HOST)
        found = {host.target.host_id: Host(host.agent_status, host.holder) for host in page.hosts}
        alive = {worker.id for worker in await store.workers.alive()}
    return Ended(tasks, found, wrong, list(watch.keys()), alive, released)


async def _heads(tasks: Tasks) -> AsyncIterator[TaskRecord]:
    offset = 0
    while found := (await tasks.page(TaskQuery(offset=offset, limit=_PAGE, ascending=True), 0)).tasks:
        for task in found:
            yield task
        offset += len(found)


def _runs(
    head: TaskRecord, hosts: tuple[int, ...], stored: Mapping[int, SubtaskRecord], rollbacks: int
) -> dict[int, int]:
    """Return, by host, how many runs on it the record counts. That of a way back has no number of its own."""
    runs: dict[int, int] = {}
    for number, index in _changing(head):
        record = stored.get(number - head.first_subtask_id)
        if record is not None and record.executor is not None:
            runs[hosts[index]] = runs.get(hosts[index], 0) + record.run_time + rollbacks
    return runs


def _changing(head: TaskRecord) -> Iterator[tuple[int, int]]:
    """Yield the id of each subtask that stops or starts an agent, and its host's place in the task."""
    for planned in head.plan:
        if planned.step.action in {Action.STOP_AGENT, Action.START_AGENT}:
            for index, series in enumerate(planned.series):
                yield head.first_subtask_id + series, index


def statuses(rig: Rig) -> dict[int, str]:
    """Return how every task stands, over HTTP."""
    found: dict[int, str] = {}
    page, size = 1, 500
    while True:
        contents = _read(rig, "/tasks/instances", page=page, size=size)
        found |= {int(task["id"]): task["status"] for task in contents}
        if len(contents) < size:
            return found
        page += 1


def left_alone(rig: Rig, supervise: Callable[[], None], limit: float) -> dict[int, str]:
    """Wait until every task has ended by itself, or the limit in seconds is over; return how they stand."""
    end = time.monotonic() + limit
    while time.monotonic() < end and _read(rig, "/tasks/instances", status="RUNNING", size=1):
        supervise()
        time.sleep(_PAUSE)
    return statuses(rig)


def give_back(rig: Rig, load: Load, supervise: Callable[[], None]) -> int:
    """Roll back what failed and holds hosts; release the hosts that are held even then, and return how many."""
    client = rig.system.client
    for _ in range(_ROUNDS):
        for task in sorted(set(holders(rig).values())):
            load.ask(client, "rollback", f"/tasks/instances/{task}/rollback")
        left_alone(rig, supervise, 90)
    held = holders(rig)
    for host in held:
        load.ask(client, "release", f"/compute/hosts/{host}/release")
    return len(held)


def quiet(watch: Watch, workers: int, limit: float) -> list[str]:
    """Wait until no worker has a claim and the dead ones are buried, but not for longer than so many seconds.

    Returns:
        What `unquiet` says at last.
    """
    end = time.monotonic() + limit
    while (found := unquiet(watch.latest.names, watch.latest.claims, workers)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return found


def hung_up(log: Path, hosts: int, limit: float) -> tuple[list[Visit], dict[int, bool]]:
    """Wait until every connection to a host is closed, or the limit in seconds is over; return what the hosts logged.

    Returns:
        What `read_log` does.
    """
    end = time.monotonic() + limit
    while True:
        visits, alive = read_log(log.read_text().splitlines(), hosts)
        if time.monotonic() > end or not unclosed(visits):
            return visits, alive
        time.sleep(_PAUSE)


def hushed(rig: Rig, most: int, limit: float) -> list[Process]:
    """Wait until there is no process and no connection but what may be, or the limit in seconds is over.

    Args:
        rig: all that runs.
        most: connections that a process may have open.
        limit: how long to wait.

    Returns:
        The APIs, the workers, and every process that nobody knows.
    """
    end = time.monotonic() + limit
    while True:
        names = {child.process.pid: child.name for child in rig.children if child.process}
        found = [described(pid, names.get(pid, "")) for pid in marked(rig.run)]
        ours = [one for one in found if one.name in {"", *APIS, *rig.lives}]
        if time.monotonic() > end or not (strays(found) or connected(ours, most)):
            return ours
        time.sleep(_PAUSE)


def survivors(run: str, limit: float) -> list[Process]:
    """Wait until no process of a run is left, or the limit in seconds is over; return what is left."""
    end = time.monotonic() + limit
    while (left := [described(pid, "") for pid in marked(run)]) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return left


def holders(rig: Rig) -> dict[int, int]:
    """Return the task that holds it, by host."""
    contents = _read(rig, "/compute/hosts", size=_PAGE)
    return {int(host["id"]): int(host["holderTaskId"]) for host in contents if host["holderTaskId"] is not None}


def _read(rig: Rig, path: str, **asked: int | str) -> list[dict[str, Any]]:
    reply = rig.system.client.get(path, params=asked)
    reply.raise_for_status()
    contents: list[dict[str, Any]] = reply.json()["data"]["contents"]
    return contents


def read_log(lines: Iterable[str], count: int) -> tuple[list[Visit], dict[int, bool]]:
    """Read what the hosts logged: every visit, and by host whether its agent's processes live in the end."""
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
