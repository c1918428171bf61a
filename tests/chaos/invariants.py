"""What must hold in the end: pure functions over what was gathered; each returns a sentence for each breach."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.chaos.seen import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.chaos.seen import ClaimSeen, Fault, Host, Task, Visit

FINAL = {"SUCCESSFUL", "FAILED"}
AGENT_OF = {"OFFLINE": False, "AVAILABLE": True}
"""What a free host's agent status says of its processes. A free host has no other status."""
WITHOUT_NUMBER = {
    *("hosts", "protected", "aliases", "endpoints", "workers", "beats", "users", "audit", "types"),
    *("tasks", "expiring", "tasks:indexed"),
}
KEPT = re.compile(
    r"seq:(task|subtask|user|worker|audit|host)|reconciler:\d+|count:.+|mark:.+|once:.+|tasks:.+:.+"
    r"|task:(?P<task>\d+)(:(hosts|executors|events|losses|(subtasks|logs|again|failed):\d+))?"
    r"|host:(?P<host>\d+)|alive:(?P<worker>\d+)|(?P<plain>[a-z_:]+)"
)
"""The names without their prefix that may be left when all is quiet, as `infra.store.redis.keys` describes them."""


def ended(statuses: Mapping[int, str]) -> list[str]:
    """Every task is in a final state."""
    return [f"task {task} is {status}" for task, status in statuses.items() if status not in FINAL]


def agreeing(hosts: Mapping[int, Host], alive: Mapping[int, bool]) -> list[str]:
    """What the inventory says of an agent is what the host knows of its processes."""
    return [
        f"host {host}: the record says {seen.agent}, held by {seen.holder}; processes live: {alive[host]}"
        for host, seen in hosts.items()
        if AGENT_OF.get(seen.agent) is not alive[host]
    ]


def holding(hosts: Mapping[int, Host], statuses: Mapping[int, str]) -> list[str]:
    """Only a task that FAILED holds a host."""
    return [
        f"host {host} is held by task {seen.holder}, which is {statuses.get(seen.holder, 'unknown')}"
        for host, seen in hosts.items()
        if seen.holder is not None and statuses.get(seen.holder) != "FAILED"
    ]


def doubled(claims: Iterable[ClaimSeen]) -> list[str]:
    """Of the claims that stood at one moment no two are of one host."""
    by_host: defaultdict[int, list[ClaimSeen]] = defaultdict(list)
    for claim in claims:
        by_host[claim.host].append(claim)
    return [f"host {host} was claimed twice: {many}" for host, many in by_host.items() if len(many) > 1]


def repeated(tasks: Iterable[Task], visits: Iterable[Visit], faults: Sequence[Fault]) -> list[str]:
    """A host gets one stop or start for each run, and one more where the worker was hit before the next one came."""
    runs: Counter[int] = Counter()
    for task in tasks:
        runs.update(task.runs)
    return [
        f"host {host}: {len(changing)} visits changed it, for {runs[host]} runs and {lost} losses: "
        + ", ".join(f"{visit.who} at {visit.began:.2f}" for visit in changing)
        for host, changing in _changing(visits).items()
        if len(changing) > runs[host] + (lost := _losses(changing, faults))
    ]


def insistent(visits: Iterable[Visit]) -> list[str]:
    """One visit stops or starts once; only a held lock is tried again."""
    return [
        f"host {visit.host}: one visit of {visit.who} said {[call.verb for call in visit.calls]}"
        for visit in visits
        if sum(call.changes for call in visit.calls) > 1
    ]


def overlapping(visits: Iterable[Visit], faults: Sequence[Fault]) -> tuple[Counter[str], list[str]]:
    """Commands of two visits overlap on a host only where the earlier visit had lost, or let go of, its claim.

    Returns:
        How often commands overlapped, by the reason; and the breaches.
    """
    reasons: Counter[str] = Counter()
    breaches: list[str] = []
    by_host: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_host[visit.host].append(visit)
    for host, many in by_host.items():
        for earlier, later, at in _overlaps(many):
            reason = _reason(earlier, at, faults)
            reasons[reason or "none"] += 1
            if reason is None:
                breaches.append(f"host {host}: {later.who} began at {at:.2f} while {earlier.who} was at it")
    return reasons, breaches


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


def _losses(changing: Sequence[Visit], faults: Sequence[Fault]) -> int:
    return sum(_hit(visit, later.began, faults) is not None for visit, later in pairwise(changing))


def _hit(visit: Visit, before: float, faults: Sequence[Fault]) -> Kind | None:
    """Return what hit a visit's worker from its beginning on and before a moment.

    A worker that got SIGTERM still goes to the hosts that it has claimed.
    """
    of_it = (one for one in faults if one.victim == visit.who and one.at <= before)
    return next((one.kind for one in of_it if one.kind is Kind.TERM_WORKER or visit.began <= one.at), None)


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


def _reason(earlier: Visit, at: float, faults: Sequence[Fault]) -> str | None:
    hit = _hit(earlier, at, faults)
    if hit is not None:
        return f"after {hit}"
    return "after it was let go" if earlier.ended is not None and earlier.ended <= at else None


def _kept(key: str, alive: set[int], tasks: set[int], hosts: set[int]) -> bool:
    found = KEPT.fullmatch(key)
    if found is None or found["plain"]:
        return key in WITHOUT_NUMBER
    numbers = (("task", tasks), ("host", hosts), ("worker", alive))
    return all(found[name] is None or int(found[name]) in known for name, known in numbers)
