"""The cost of reading and storing a finished task."""

from collections.abc import Sequence

from bench import store
from bench.bench import Bench, compute_medians, measure_in_turn
from bench.finding import Finding, Goal
from bench.rows.memory import MB
from bench.system import System, make_stub_targets, run_system
from bench.usage import read_peak_rss


def measure(bench: Bench) -> Sequence[Finding]:
    """Run a small and a big task to their ends, read their progress in turn, and measure the big task's keys."""
    sizes = bench.sizes
    with run_system(bench.directory / "record", workers=bench.workers, patience=sizes.patience) as system:
        before = system.ask(store.read_used_bytes(system.redis_url))
        system.add_hosts(make_stub_targets(sizes.many))
        inventory = system.ask(store.read_used_bytes(system.redis_url)) - before
        small, big = (_run_task(system, hosts) for hosts in (sizes.few, sizes.many))
        rest, logs = system.ask(store.measure_task_bytes(system.redis_url, big))
        api_memory = read_peak_rss(system.list_pids()[0])
        few, many, join_few, join_many = compute_medians(
            measure_in_turn(
                max(3, sizes.requests // 4),
                lambda: system.api.time_get(_make_list_path(2)),
                lambda: system.api.time_get(_make_list_path(1)),
                lambda: system.api.time_get(_make_events_path(small)),
                lambda: system.api.time_get(_make_events_path(big)),
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


def _run_task(system: System, hosts: int) -> int:
    """Run a task on hosts to its end, and return its id."""
    return system.wait_for_end(system.stop_agents(range(1, hosts + 1))).id


def _make_list_path(place: int) -> str:
    """Return the path of a list with one task: the newest (1), or the one before it (2).

    It shows the progress of the task. For a task with few hosts, it also lists the subtasks.
    """
    return f"/api/v2/tasks/instances?size=1&page={place}"


def _make_events_path(task_id: int) -> str:
    """Return the path of a task's events. For a task that has ended, these are a snapshot and the end."""
    return f"/api/v2/tasks/instances/{task_id}/events"
