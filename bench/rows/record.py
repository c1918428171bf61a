"""What a finished task costs to look at and to keep."""

from collections.abc import Sequence

from bench import fleet, store
from bench.bench import Bench, in_turn, medians
from bench.finding import Finding, Goal


def measure(bench: Bench) -> Sequence[Finding]:
    """Finish a small task and a big one, then read their progress in turn and weigh the big one's keys."""
    sizes = bench.sizes
    with fleet.running(bench.directory / "record", workers=bench.workers, patience=sizes.patience) as system:
        system.add_hosts(fleet.stub_targets(sizes.many))
        small, big = (_finished(system, hosts) for hosts in (sizes.few, sizes.many))
        rest, logs = system.ask(store.task_bytes(system.redis_url, big))
        few, many = medians(
            in_turn(
                max(3, sizes.requests // 2),
                lambda: system.api.timed_get(_progress(small)),
                lambda: system.api.timed_get(_progress(big)),
            )
        )
    raw = {f"progress_of_{sizes.few}_ms": few * 1000, f"progress_of_{sizes.many}_ms": many * 1000}
    weighed = {"hosts": sizes.many, "bytes_without_logs": rest, "bytes_of_logs": logs}
    return [
        Finding(f"read a task's progress, {sizes.many:,} hosts against {sizes.few}", Goal(2, "x"), many / few, raw),
        Finding("store bytes per host of a finished task, without logs", Goal(400, "B"), rest / sizes.many, weighed),
        Finding("…, with its logs", Goal(700, "B"), (rest + logs) / sizes.many, weighed),
    ]


def _finished(system: fleet.Fleet, hosts: int) -> int:
    """Return a task over so many hosts that has ended."""
    return system.ended(system.stop_agents(range(1, hosts + 1))).id


def _progress(task_id: int) -> str:
    """Return where progress is read. Of a task that ended, the stream of events is its standing and its end."""
    return f"/api/v2/tasks/instances/{task_id}/events"
