"""The cost of a system that has nothing to do."""

import time
from collections.abc import Sequence

from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.system import make_stub_targets, run_system


def measure(bench: Bench) -> Sequence[Finding]:
    """Run a task to its end, then measure the CPU time of the idle processes."""
    sizes = bench.sizes
    with run_system(bench.directory / "idle", workers=bench.workers, patience=sizes.patience) as system:
        system.add_hosts(make_stub_targets(sizes.few))
        system.time_stop(range(1, sizes.few + 1))
        time.sleep(sizes.idle_for / 10)
        ours, all_of_it, began = system.measure_cpu(redis=False), system.measure_cpu(), time.perf_counter()
        time.sleep(sizes.idle_for)
        seconds = time.perf_counter() - began
        ours, all_of_it = system.measure_cpu(redis=False) - ours, system.measure_cpu() - all_of_it
    raw = {"watched_s": seconds, "api_and_workers_cpu_s": ours, "store_cpu_s": all_of_it - ours}
    what = "an idle system: CPU of API and worker, which also reconciles"
    return [Finding(what, Goal(1, "% of a core"), 100 * ours / seconds, raw)]
