"""What a finished task costs to look at and to keep."""

from collections.abc import Sequence

from bench import store
from bench import system as fleet
from bench.bench import Bench, in_turn, medians
from bench.finding import Finding, Goal
from bench.rows.memory import MB
from bench.usage import peak_rss_of


def measure(bench: Bench) -> Sequence[Finding]:
    """Finish a small task and a big one, then read their progress in turn and weigh the big one's keys."""
    sizes = bench.sizes
    with fleet.running(bench.directory / "record", workers=bench.workers, patience=sizes.patience) as system:
        before = system.ask(store.used_bytes(system.redis_url))
        system.add_hosts(fleet.stub_targets(sizes.many))
        inventory = system.ask(store.used_bytes(system.redis_url)) - before
        small, big = (_finished(system, hosts) for hosts in (sizes.few, sizes.many))
        rest, logs = system.ask(store.task_bytes(system.redis_url, big))
        api_memory = peak_rss_of(system.pids()[0])
        few, many, join_few, join_many = medians(
            in_turn(
                max(3, sizes.requests // 4),
                lambda: system.api.timed_get(_listed(2)),
                lambda: system.api.timed_get(_listed(1)),
                lambda: system.api.timed_get(_events(small)),
                lambda: system.api.timed_get(_events(big)),
            )
        )
    raw = {
        f"progress_of_{sizes.few}_ms": few * 1000,
        f"progress_of_{sizes.many}_ms": many * 1000,
        f"events_of_{sizes.few}_ms": join_few * 1000,
        f"events_of_{sizes.many}_ms": join_many * 1000,
    }
    weighed = {
        "hosts": sizes.many,
        "bytes_without_logs": rest,
        "bytes_of_logs": logs,
        "bytes_of_inventory": inventory,
        "api_peak_mb": api_memory / MB,
    }
    return [
        Finding(f"read a task's progress, {sizes.many:,} hosts against {sizes.few}", Goal(2, "x"), many / few, raw),
        Finding("store bytes per host of a finished task, without logs", Goal(400, "B"), rest / sizes.many, weighed),
        Finding("…, with its logs", Goal(700, "B"), (rest + logs) / sizes.many, weighed),
    ]


def _finished(system: fleet.Fleet, hosts: int) -> int:
    """Return a task over so many hosts that has ended."""
    return system.ended(system.stop_agents(range(1, hosts + 1))).id


def _listed(place: int) -> str:
    """Return where the progress of the newest task (1) or of the one before it (2) is read: a list of one task.

    Where a task has few hosts its subtasks are named there as well.
    """
    return f"/api/v2/tasks/instances?size=1&page={place}"


def _events(task_id: int) -> str:
    """Return where a task is watched. Of one that ended that is its standing and its end; nobody else watches it."""
    return f"/api/v2/tasks/instances/{task_id}/events"
