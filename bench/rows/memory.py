"""How much memory a worker takes while it works on many hosts at a time."""

import time
from collections.abc import Sequence
from typing import Final

from bench import sshd
from bench import system as fleet
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.usage import peak_rss_of, sockets_of

MB: Final = 1_000_000
"""Bytes."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Have one worker hold a connection to every host at a time, and see how much memory it takes."""
    sizes, place = bench.sizes, bench.directory / "in-flight"
    limits = {"OCPFLEET_MAX_IN_FLIGHT": str(sizes.some), **sshd.PATIENT}
    with (
        sshd.running(place / "hosts", sizes.some, slow_stop=sizes.slow_stop) as hosts,
        fleet.running(place / "fleet", key=hosts.key.private, patience=sizes.patience, settings=limits) as system,
    ):
        system.add_hosts(hosts.targets(sshd.SLOW_HOME))
        worker = system.pids()[1]
        idle, quiet = peak_rss_of(worker), sockets_of(worker)
        task_id, most = system.stop_agents(range(1, sizes.some + 1)), quiet
        while not system.head(task_id).finished:
            most = max(most, sockets_of(worker))
            time.sleep(0.1)
        wall, peak = fleet.lasted(system.ended(task_id)), peak_rss_of(worker)
    raw = {"idle_mb": idle / MB, "peak_mb": peak / MB, "connections_at_a_time": most - quiet, "wall_s": wall}
    what = f"memory of a worker with {sizes.some:,} hosts in flight over SSH"
    return [Finding(what, Goal(100, "MB"), peak / MB, raw)]
