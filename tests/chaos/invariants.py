"""The invariants: pure functions over the observations. Each returns a sentence for each breach."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from core.progress import compute_progress
from tests.chaos.observations import Kind, Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from core.record import SubtaskRecord, TaskRecord
    from tests.chaos.observations import Burial, Claim, Fault, Host, Process, Task, Visit

FINAL = {"SUCCESSFUL", "FAILED"}
AGENT_OF = {"OFFLINE": False, "AVAILABLE": True}
"""Whether the agent's processes are alive, by the agent status of a free host. A free host has no other status."""
_BURYING = 5.0
"""Seconds from the reopening of a lost worker's first claim until its number is gone, at the most."""
_WORKS_ON = {Kind.TERM_WORKER: math.inf, Kind.FREEZE_WORKER: 15.0}
"""Seconds after a fault in which the worker may still connect to hosts whose claims it may lose."""
WITHOUT_NUMBER = {
    *("hosts", "protected", "aliases", "endpoints", "workers", "beats", "users", "audit", "types"),
    *("tasks", "expiring", "tasks:indexed"),
}
KEPT = re.compile(
    r"seq:(task|subtask|user|worker|audit|host)|reconciler:\d+|count:.+|mark:.+|once:.+|tasks:.+:.+"
    r"|task:(?P<task>\d+)(:(hosts|executors|events|losses|(subtasks|logs|again|failed):\d+))?"
    r"|host:(?P<host>\d+)|alive:(?P<worker>\d+)|(?P<plain>[a-z_:]+)"
)
"""The keys, without their prefix, that may be left when all is quiet."""


def find_open_tasks(statuses: Mapping[int, str]) -> list[str]:
    """Check that every task has ended."""
    return [f"task {task} is {status}" for task, status in statuses.items() if status not in FINAL]


def find_forgotten_tasks(accepted: Iterable[int], statuses: Mapping[int, str]) -> list[str]:
    """Check that every task exists whose acceptance was answered."""
    return [f"task {task} is gone" for task in accepted if task not in statuses]


def find_wrong_counts(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> list[str]:
    """Check that the counts of a task, and the progress of its steps, agree with its subtasks."""
    kept = Counter((task.plan.find_step(series).index, one.status) for series, one in stored.items())
    standing = Counter((task.plan.find_step(series).index, one.status) for series, one in task.derive_subtasks(stored))
    steps = enumerate(compute_progress(task))
    told = Counter({(index, status): count for index, step in steps for status, count in step.by_status.items()})
    return [
        f"task {task.id}: {what} are {dict(counted)}, its subtasks {dict(real)}"
        for what, counted, real in (("its counts", task.counts, kept), ("the counts told", +told, standing))
        if counted != real
    ]


def find_unquiet_workers(names: Mapping[int, str], claims: Mapping[int, Collection[str]], workers: int) -> list[str]:
    """Check that the record has exactly the running workers, and that none has a claim.

    Args:
        names: the workers' names, by the number of the worker process.
        claims: the claims, by the same number.
        workers: the number of running workers.
    """
    many = [f"{len(names)} workers, not {workers}: {dict(names)}"] if len(names) != workers else []
    return many + [f"worker {number} has claims: {sorted(some)}" for number, some in claims.items() if some]


def find_disagreements(hosts: Mapping[int, Host], alive: Mapping[int, bool], said: Collection[int] = ()) -> list[str]:
    """Check that the agent status in the inventory agrees with the agent's processes on the host.

    Args:
        hosts: the inventory.
        alive: whether the agent's processes are alive, by host.
        said: the hosts whose status is a person's word; see `list_skipped_hosts`.
    """
    return [
        f"host {host}: the record says {seen.agent}, held by {seen.holder}; processes live: {alive[host]}"
        for host, seen in hosts.items()
        if (known := AGENT_OF.get(seen.agent)) is not alive[host] and (host not in said or known is None)
    ]


def list_skipped_hosts(tasks: Iterable[Task]) -> set[int]:
    """Return the hosts whose last task had a subtask skipped there: it counts as done, whatever the host is like."""
    last: dict[int, Task] = {}
    for task in sorted(tasks, key=lambda task: task.finished):
        last |= dict.fromkeys(task.runs, task)
    return {host for host, task in last.items() if host in task.skipped}


def find_wrong_holders(holders: Mapping[int, int], statuses: Mapping[int, str]) -> list[str]:
    """Check that only FAILED tasks hold hosts when everything has ended by itself.

    Args:
        holders: the task that holds a host, by host.
        statuses: the status of every task.
    """
    return [
        f"host {host} is held by task {task}, which is {statuses.get(task, 'unknown')}"
        for host, task in holders.items()
        if statuses.get(task) != "FAILED"
    ]


def find_held_hosts(hosts: Mapping[int, Host]) -> list[str]:
    """Check that no host is held after failed tasks were rolled back and hosts were released."""
    return [f"host {host} is held by task {seen.holder}" for host, seen in hosts.items() if seen.holder is not None]


def find_double_claims(claims: Iterable[Claim]) -> list[str]:
    """Check that no two claims at one moment are for the same host."""
    by_host: defaultdict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_host[claim.host].append(claim)
    return [f"host {host} was claimed twice: {many}" for host, many in by_host.items() if len(many) > 1]


def list_losses(faults: Iterable[Fault], burials: Iterable[Burial]) -> list[Loss]:
    """Return the reasons why work may have been repeated: the worker was hit, or went out of the record.

    A worker that got SIGTERM still connects to the hosts that it has claimed. A stopped worker may be called lost when
    it already goes on, by a reconciler that looked before; so may a worker that starves on a busy machine. It works on
    until it learns of that, and its claims may belong to others before it is gone from the record.
    """
    hit = [
        Loss(one.victim, f"after {one.kind}", one.at, one.at + _WORKS_ON.get(one.kind, 0))
        for one in faults
        if one.kind.of_worker
    ]
    return hit + [Loss(one.who, "after it was called lost", one.after - _BURYING, one.seen) for one in burials]


def find_repeated_commands(tasks: Iterable[Task], visits: Iterable[Visit], reasons: Sequence[Loss]) -> list[str]:
    """Check that a host got one stop or start per run, and one more only if the worker was hit before the next one."""
    runs: Counter[int] = Counter()
    for task in tasks:
        runs.update(task.runs)
    return [
        f"host {host}: {len(changing)} visits changed it, for {runs[host]} runs and {lost} losses: "
        + ", ".join(f"{visit.who} at {visit.began:.2f}" for visit in changing)
        for host, changing in _list_changing_visits(visits).items()
        if len(changing) > runs[host] + (lost := _count_losses(changing, reasons))
    ]


def find_insistent_visits(visits: Iterable[Visit]) -> list[str]:
    """Check that one visit stops or starts an agent once; only a held lock may be tried again."""
    return [
        f"host {visit.host}: one visit of {visit.who} said {[call.verb for call in visit.calls]}"
        for visit in visits
        if sum(call.changes for call in visit.calls) > 1
    ]


def find_overlaps(visits: Iterable[Visit], reasons: Sequence[Loss]) -> tuple[Counter[str], list[str]]:
    """Check that commands of two visits overlap on a host only if the earlier visit had lost or released its claim.

    Returns:
        The number of overlaps by reason, and the breaches.
    """
    found: Counter[str] = Counter()
    breaches: list[str] = []
    by_host: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_host[visit.host].append(visit)
    for host, many in by_host.items():
        for earlier, later, at in _list_overlaps(many):
            reason = _explain_overlap(earlier, at, reasons)
            found[reason or "none"] += 1
            if reason is None:
                breaches.append(f"host {host}: {later.who} began at {at:.2f} while {earlier.who} was at it")
    return found, breaches


def find_leaked_keys(keys: Iterable[str], alive: set[int], tasks: set[int], hosts: set[int]) -> list[str]:
    """Check that every key in the store belongs to a live worker, a known task or a known host, or is a fixed one.

    Args:
        keys: all keys, without their prefix, once all is quiet.
        alive: the numbers of the live workers.
        tasks: the ids of the tasks.
        hosts: the ids of the hosts.
    """
    return [f"left in the store: {key}" for key in sorted(keys) if not _may_be_kept(key, alive, tasks, hosts)]


def find_open_visits(visits: Iterable[Visit]) -> list[str]:
    """Check that every connection to a host is closed once all is quiet."""
    return [f"host {visit.host}: the connection of {visit.who} is open" for visit in visits if visit.ended is None]


def find_stray_processes(processes: Iterable[Process]) -> list[str]:
    """Check that the supervisor knows every process, so that no process, living or dead, has left a child."""
    return [f"process {one.pid} is nobody's: {one.command}" for one in processes if not one.name]


def find_open_connections(processes: Iterable[Process], most: int) -> list[str]:
    """Check that no process has a connection to a host in the end, or more than `most` others."""
    return [
        f"{one.name}: {one.to_hosts} connections to hosts, and {one.others} others (of at most {most})"
        for one in processes
        if one.to_hosts or one.others > most
    ]


def find_missed_kinds(faults: Sequence[Fault], least: int) -> list[str]:
    """Check that every kind of fault hit live claims at least `least` times."""
    hits = Counter(fault.kind for fault in faults if fault.claims)
    return [f"{kind}: {hits[kind]} times at live claims, not {least}" for kind in Kind if hits[kind] < least]


def find_unrecovered_faults(faults: Sequence[Fault]) -> list[str]:
    """Check that the system recovered from every fault."""
    return [f"{fault.kind} of {fault.victim}: never recovered" for fault in faults if fault.recovered is None]


def _list_changing_visits(visits: Iterable[Visit]) -> dict[int, list[Visit]]:
    """Return the visits that stopped or started an agent, in order, by host."""
    by_host: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in sorted(visits, key=lambda visit: visit.began):
        if any(call.changes for call in visit.calls):
            by_host[visit.host].append(visit)
    return by_host


def _count_losses(changing: Sequence[Visit], reasons: Sequence[Loss]) -> int:
    return sum(_find_reason(visit, later.began, reasons) is not None for visit, later in pairwise(changing))


def _find_reason(visit: Visit, before: float, reasons: Sequence[Loss]) -> str | None:
    """Return why a visit may have lost its claim between its beginning and a moment; None if it cannot have."""
    of_it = (one for one in reasons if one.who == visit.who)
    return next((one.why for one in of_it if one.since <= before and visit.began <= one.until), None)


def _list_overlaps(visits: Sequence[Visit]) -> list[tuple[Visit, Visit, float]]:
    """Return pairs of visits with overlapping stops or starts: the earlier, the later, and when the later one began."""
    work = sorted(
        ((call.began, call.ended, visit) for visit in visits for call in visit.calls if call.verb in {"stop", "start"}),
        key=lambda one: one[0],
    )
    return [
        (earlier, later, began)
        for place, (_, until, earlier) in enumerate(work)
        for began, _, later in work[place + 1 :]
        if later is not earlier and (until is None or began < until)
    ]


def _explain_overlap(earlier: Visit, at: float, reasons: Sequence[Loss]) -> str | None:
    let_go = earlier.ended is not None and earlier.ended <= at
    return _find_reason(earlier, at, reasons) or ("after it was let go" if let_go else None)


def _may_be_kept(key: str, alive: set[int], tasks: set[int], hosts: set[int]) -> bool:
    found = KEPT.fullmatch(key)
    if found is None or found["plain"]:
        return key in WITHOUT_NUMBER
    numbers = (("task", tasks), ("host", hosts), ("worker", alive))
    return all(found[name] is None or int(found[name]) in known for name, known in numbers)
