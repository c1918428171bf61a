"""The time from acceptance to SUCCESSFUL of a task for one stub host, in round trips to the store."""

from collections.abc import Sequence
from statistics import fmean, median

from bench import store
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.system import make_stub_targets, run_system


def measure(bench: Bench) -> Sequence[Finding]:
    """Run tasks for one host one after the other, and measure round trips before and after them."""
    sizes = bench.sizes
    with run_system(bench.directory / "one-host", workers=bench.workers, patience=sizes.patience) as system:
        system.add_hosts(make_stub_targets(1))
        system.time_stop([1])
        before = system.ask(store.measure_round_trips(system.redis_url, sizes.requests))
        times = [system.time_stop([1], pause=0.1) for _ in range(max(3, sizes.requests // 4))]
        after = system.ask(store.measure_round_trips(system.redis_url, sizes.requests))
    writing, asking = ((one + another) / 2 for one, another in zip(before, after, strict=True))
    raw = {
        "accepted_to_successful_p50_ms": median(times) * 1000,
        "accepted_to_successful_mean_ms": fmean(times) * 1000,
        "tasks": len(times),
        "round_trip_that_writes_ms": writing * 1000,
        "round_trip_that_reads_ms": asking * 1000,
    }
    what = "one stub host, accepted to SUCCESSFUL, in round trips that write"
    return [Finding(what, Goal(15, "trips"), median(times) / writing, raw)]
