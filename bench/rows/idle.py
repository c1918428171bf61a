"""What a system costs that has nothing to do."""

import time
from collections.abc import Sequence

from bench import system as fleet
from bench.bench import Bench
from bench.finding import Finding, Goal


def measure(bench: Bench) -> Sequence[Finding]:
    """Run a task, wait for it, and watch the processes do nothing."""
    sizes = bench.sizes
    with fleet.running(bench.directory / "idle", workers=bench.workers, patience=sizes.patience) as system:
        system.add_hosts(fleet.stub_targets(sizes.few))
        system.timed(range(1, sizes.few + 1))
        time.sleep(sizes.idle_for / 10)
        ours, all_of_it, began = system.cpu(redis=False), system.cpu(), time.perf_counter()
        time.sleep(sizes.idle_for)
        seconds = time.perf_counter() - began
        ours, all_of_it = system.cpu(redis=False) - ours, system.cpu() - all_of_it
    raw = {"watched_s": seconds, "api_and_workers_cpu_s": ours, "store_cpu_s": all_of_it - ours}
    what = "an idle system: CPU of API and worker, which also reconciles"
    return [Finding(what, Goal(1, "% of a core"), 100 * ours / seconds, raw)]
