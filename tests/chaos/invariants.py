"""What must hold in the end: pure functions over what was gathered; each returns a sentence for each breach."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from core.progress import progress
from tests.chaos.observations import Kind, Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from core.record import SubtaskRecord, TaskRecord
    from tests.chaos.observations import Burial, ClaimSeen, Fault, Host, Process, Task, Visit

FINAL = {"SUCCESSFUL", "FAILED"}
AGENT_OF = {"OFFLINE": False, "AVAILABLE": True}
"""What a free host's agent status says of its processes. A free host has no other status."""
_BURYING = 5.0
"""Seconds that it may take from the opening of a lost worker's first claim until its number is gone."""
_WORKS_ON = {Kind.TERM_WORKER: math.inf, Kind.FREEZE_WORKER: 15.0}
"""Seconds after a fault in which the worker still comes to hosts of which the claims may be taken from it."""
WITHOUT_NUMBER = {
    *("hosts", "protected", "aliases", "endpoints", "workers", "beats", "users", "audit", "types"),
    *("tasks", "expiring", "tasks:indexed"),
}
KEPT = re.compile(
    r"seq:(task|subtask|user|worker|audit|host)|reconciler:\d+|count:.+|mark:.+|once:.+|tasks:.+:.+"
    r"|task:(?P<task>\d+)(:(hosts|executors|events|losses|(subtasks|logs|again|failed):\d+))?"
    r"|host:(?P<host>\d+)|alive:(?P<worker>\d+)|(?P<plain>[a-z_:]+)"
)
"""The names without their prefix that may be left when all is quiet, as `infra.store.keys` describes them."""


def ended(statuses: Mapping[int, str]) -> list[str]:
    """Every task is in a final state."""
    return [f"task {task} is {status}" for task, status in statuses.items() if status not in FINAL]


def forgotten(accepted: Iterable[int], statuses: Mapping[int, str]) -> list[str]:
    """Every task whose acceptance was answered is there."""
    return [f"task {task} is gone" for task in accepted if task not in statuses]


def miscounted(task: TaskRecord, stored: Mapping[int, SubtaskRecord]) -> list[str]:
    """The counts in a task's head, and what is told of its steps, are what its subtasks are."""
    kept = Counter((task.plan.step_of(series).index, one.status) for series, one in stored.items())
    standing = Counter((task.plan.step_of(series).index, one.status) for series, one in task.subtasks(stored))
    steps = enumerate(progress(task))
    told = Counter({(index, status): count for index, step in steps for status, count in step.by_status.items()})
    return [
        f"task {task.id}: {what} are {dict(counted)}, its subtasks {dict(real)}"
        for what, counted, real in (("its counts", task.counts, kept), ("the counts told", +told, standing))
        if counted != real
    ]


def unquiet(names: Mapping[int, str], claims: Mapping[int, Collection[str]], workers: int) -> list[str]:
    """In the end so many workers are in the record, and none has a claim.

    Args:
        names: by a worker process's number: its name.
        claims: by the same: its claims.
        workers: how many there are.
    """
    many = [f"{len(names)} workers, not {workers}: {dict(names)}"] if len(names) != workers else []
    return many + [f"worker {number} has claims: {sorted(some)}" for number, some in claims.items() if some]


def agreeing(hosts: Mapping[int, Host], alive: Mapping[int, bool], said: Collection[int] = ()) -> list[str]:
    """What the inventory says of an agent is what the host knows of its processes.

    Args:
        hosts: the inventory.
        alive: by host whether its agent's processes live.
        said: the hosts of which a person said how they are; see `said_by_people`.
    """
    return [
        f"host {host}: the record says {seen.agent}, held by {seen.holder}; processes live: {alive[host]}"
        for host, seen in hosts.items()
        if (known := AGENT_OF.get(seen.agent)) is not alive[host] and (host not in said or known is None)
    ]


def said_by_people(tasks: Iterable[Task]) -> set[int]:
    """Return the hosts of which the task that worked on them last had a run skipped: it counts as what it was to be."""
    last: dict[int, Task] = {}
    for task in sorted(tasks, key=lambda task: task.finished):
        last |= dict.fromkeys(task.runs, task)
    return {host for host, task in last.items() if host in task.skipped}


def holding(holders: Mapping[int, int], statuses: Mapping[int, str]) -> list[str]:
    """Only a task that FAILED holds a host when everything has ended by itself.

    Args:
        holders: the task that holds it, by host.
        statuses: how every task stands.
    """
    return [
        f"host {host} is held by task {task}, which is {statuses.get(task, 'unknown')}"
        for host, task in holders.items()
        if statuses.get(task) != "FAILED"
    ]


def held(hosts: Mapping[int, Host]) -> list[str]:
    """No host is held once everything that failed was rolled back or released."""
    return [f"host {host} is held by task {seen.holder}" for host, seen in hosts.items() if seen.holder is not None]


def doubled(claims: Iterable[ClaimSeen]) -> list[str]:
    """Of the claims that stood at one moment no two are of one host."""
    by_host: defaultdict[int, list[ClaimSeen]] = defaultdict(list)
    for claim in claims:
        by_host[claim.host].append(claim)
    return [f"host {host} was claimed twice: {many}" for host, many in by_host.items() if len(many) > 1]


def losses(faults: Iterable[Fault], burials: Iterable[Burial]) -> list[Loss]:
    """Return why work may have been done again: the worker was hit, or went out of the record.

    A worker that got SIGTERM still goes to the hosts that it has claimed. One that stood still may be called lost when
    it goes on already, by a reconciler that had looked before, as may one that starved on a busy machine; it works on
    until it learns of that, and while it is buried its claims are others' already.
    """
    hit = [
        Loss(one.victim, f"after {one.kind}", one.at, one.at + _WORKS_ON.get(one.kind, 0))
        for one in faults
        if one.kind.of_worker
    ]
    return hit + [Loss(one.who, "after it was called lost", one.after - _BURYING, one.seen) for one in burials]


def repeated(tasks: Iterable[Task], visits: Iterable[Visit], reasons: Sequence[Loss]) -> list[str]:
    """A host gets one stop or start for each run, and one more where the worker was hit before the next one came."""
    runs: Counter[int] = Counter()
    for task in tasks:
        runs.update(task.runs)
    return [
        f"host {host}: {len(changing)} visits changed it, for {runs[host]} runs and {lost} losses: "
        + ", ".join(f"{visit.who} at {visit.began:.2f}" for visit in changing)
        for host, changing in _changing(visits).items()
        if len(changing) > runs[host] + (lost := _lost(changing, reasons))
    ]


def insistent(visits: Iterable[Visit]) -> list[str]:
    """One visit stops or starts once; only a held lock is tried again."""
    return [
        f"host {visit.host}: one visit of {visit.who} said {[call.verb for call in visit.calls]}"
        for visit in visits
        if sum(call.changes for call in visit.calls) > 1
    ]


def overlapping(visits: Iterable[Visit], reasons: Sequence[Loss]) -> tuple[Counter[str], list[str]]:
    """Commands of two visits overlap on a host only where the earlier visit had lost, or let go of, its claim.

    Returns:
        How often commands overlapped, by the reason; and the breaches.
    """
    found: Counter[str] = Counter()
    breaches: list[str] = []
    by_host: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_host[visit.host].append(visit)
    for host, many in by_host.items():
        for earlier, later, at in _overlaps(many):
            reason = _reason(earlier, at, reasons)
            found[reason or "none"] += 1
            if reason is None:
                breaches.append(f"host {host}: {later.who} began at {at:.2f} while {earlier.who} was at it")
    return found, breaches


def leaked(keys: Iterable[str], alive: set[int], tasks: set[int], hosts: set[int]) -> list[str]:
    """Nothing is left in the store but what belongs to live workers, known tasks and known hosts.

    Args:
        keys: all there are, without their prefix, once all is quiet.
        alive: the numbers of the live workers.
        tasks: the ids of the tasks.
        hosts: the ids of the hosts.
    """
    return [f"left in the store: {key}" for key in sorted(keys) if not _kept(key, alive, tasks, hosts)]


def unclosed(visits: Iterable[Visit]) -> list[str]:
    """Every connection to a host is closed once all is quiet."""
    return [f"host {visit.host}: the connection of {visit.who} is open" for visit in visits if visit.ended is None]


def strays(processes: Iterable[Process]) -> list[str]:
    """Every process is one that its supervisor knows; none of them, living or dead, has left a child."""
    return [f"process {one.pid} is nobody's: {one.command}" for one in processes if not one.name]


def connected(processes: Iterable[Process], most: int) -> list[str]:
    """No process has a connection to a host in the end, nor more others than so many."""
    return [
        f"{one.name}: {one.to_hosts} connections to hosts, and {one.others} others (of at most {most})"
        for one in processes
        if one.to_hosts or one.others > most
    ]


def missed(faults: Sequence[Fault], least: int) -> list[str]:
    """Every kind of fault hit live claims so often."""
    hits = Counter(fault.kind for fault in faults if fault.claims)
    return [f"{kind}: {hits[kind]} times at live claims, not {least}" for kind in Kind if hits[kind] < least]


def unrecovered(faults: Sequence[Fault]) -> list[str]:
    """After every fault the system came back."""
    return [f"{fault.kind} of {fault.victim}: never recovered" for fault in faults if fault.recovered is None]


def _changing(visits: Iterable[Visit]) -> dict[int, list[Visit]]:
    """Return, by host, the visits that stopped or started its agent, in order."""
    by_host: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in sorted(visits, key=lambda visit: visit.began):
        if any(call.changes for call in visit.calls):
            by_host[visit.host].append(visit)
    return by_host


def _lost(changing: Sequence[Visit], reasons: Sequence[Loss]) -> int:
    return sum(_why(visit, later.began, reasons) is not None for visit, later in pairwise(changing))


def _why(visit: Visit, before: float, reasons: Sequence[Loss]) -> str | None:
    """Return why a visit may have lost its claim from its beginning on and before a moment; None where it did not."""
    of_it = (one for one in reasons if one.who == visit.who)
    return next((one.why for one in of_it if one.since <= before and visit.began <= one.until), None)


def _overlaps(visits: Sequence[Visit]) -> list[tuple[Visit, Visit, float]]:
    """Return the pairs of visits of which the later one began a stop or start while one of the earlier still ran."""
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


def _reason(earlier: Visit, at: float, reasons: Sequence[Loss]) -> str | None:
    let_go = earlier.ended is not None and earlier.ended <= at
    return _why(earlier, at, reasons) or ("after it was let go" if let_go else None)


def _kept(key: str, alive: set[int], tasks: set[int], hosts: set[int]) -> bool:
    found = KEPT.fullmatch(key)
    if found is None or found["plain"]:
        return key in WITHOUT_NUMBER
    numbers = (("task", tasks), ("host", hosts), ("worker", alive))
    return all(found[name] is None or int(found[name]) in known for name, known in numbers)
