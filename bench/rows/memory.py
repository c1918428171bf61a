"""The memory of a worker while it works on many hosts at a time."""

import time
from collections.abc import Sequence
from typing import Final

from bench import sshd
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.system import get_duration, run_system
from bench.usage import count_sockets, read_peak_rss

MB: Final = 1_000_000
"""Bytes."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Have one worker hold connections to all hosts at a time, and measure its peak memory."""
    sizes, place = bench.sizes, bench.directory / "in-flight"
    limits = {"OCPFLEET_MAX_IN_FLIGHT": str(sizes.some), **sshd.PATIENT}
    with (
        sshd.run_hosts(place / "hosts", sizes.some, slow_stop=sizes.slow_stop) as hosts,
        run_system(place / "fleet", key=hosts.key.private, patience=sizes.patience, settings=limits) as system,
    ):
        system.add_hosts(hosts.make_targets(sshd.SLOW_HOME))
        worker = system.list_pids()[1]
        idle, quiet = read_peak_rss(worker), count_sockets(worker)
        task_id, most = system.stop_agents(range(1, sizes.some + 1)), quiet
        while not system.read_head(task_id).finished:
            most = max(most, count_sockets(worker))
            time.sleep(0.1)
        wall, peak = get_duration(system.wait_for_end(task_id)), read_peak_rss(worker)
    raw = {"idle_mb": idle / MB, "peak_mb": peak / MB, "connections_at_a_time": most - quiet, "wall_s": wall}
    what = f"memory of a worker with {sizes.some:,} hosts in flight over SSH"
    return [Finding(what, Goal(100, "MB"), peak / MB, raw)]
