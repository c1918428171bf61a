"""The program: `make chaos SEED=… MINUTES=…`. It exits with 1 if an invariant does not hold."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import aftermath, invariants, report
from tests.chaos.faults import Faults
from tests.chaos.load import Load
from tests.chaos.rig import WORKERS, run_rig
from tests.chaos.watch import Watch
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.chaos.observations import Visit

_HOSTS = 200
MAX_SECONDS = 300.0
"""Seconds after the last fault until every task must have ended by itself. Hosts that have lost workers before run one
by one in each worker, and each waits until the step is published again."""
MIN_HITS, MIN_HITS_PER_MINUTE = 5, 2.5
"""Times that every kind of fault must hit live claims, in a short and in a long run. A run of less than two minutes is
too short for five of each."""
MAX_CONNECTIONS = 64
"""Open connections of an idle API or worker: those of its pools, and the one of its beat."""


def run(directory: Path, seed: int, minutes: float) -> int:
    """Run everything, print the report, and return the exit status."""
    least = count_least_hits(minutes)
    with run_rig(directory, _HOSTS, seed) as rig:
        watch, load = Watch(rig), Load(rig, _HOSTS, seed)
        faults = Faults(rig, watch, random.Random(f"{seed} faults"))
        _make_faults(faults, load, 60 * minutes, least)
        breaches = _wait_for_ends(faults, load)
        rig.calm_hosts()
        released = aftermath.give_back(rig, load, faults.supervise)
        unquiet = aftermath.wait_for_quiet(watch, len(WORKERS), 60)
        ended = asyncio.run(aftermath.gather(rig, watch, load, released))
        visits, alive = aftermath.wait_for_hang_up(rig.log, _HOSTS, 30)
        processes = aftermath.wait_for_few_processes(rig, MAX_CONNECTIONS, 30)
        watch.stop()
    processes += aftermath.wait_for_survivors(rig.run, 10)
    breaches |= _judge(ended, visits, alive, faults, least) | {
        "all becomes quiet": unquiet,
        "no process is left": invariants.find_stray_processes(processes),
        "no connection is left": invariants.find_open_visits(visits)
        + invariants.find_open_connections(processes, MAX_CONNECTIONS),
    }
    return report.print_report(report.Observations(ended, visits, processes, faults, load), breaches)


def _make_faults(faults: Faults, load: Load, seconds: float, least: int) -> None:
    """Make faults under load."""
    faults.watch.start()
    load.start()
    began = time.monotonic()
    try:
        faults.make_faults(seconds, least)
    finally:
        load.stop()
    report.say(f"{len(faults.made)} faults in {time.monotonic() - began:.0f} s; now all is left alone")


def _wait_for_ends(faults: Faults, load: Load) -> dict[str, list[str]]:
    """Wait until all tasks have ended by themselves; return the breaches."""
    faults.wait_for_recovery(120)
    wait_until(faults.rig.is_ready, 120, "the system to be ready")
    last = time.monotonic()
    by_itself = aftermath.wait_for_tasks(faults.rig, faults.supervise, MAX_SECONDS)
    report.say(f"all tasks ended {time.monotonic() - last:.1f} s after that")
    return {
        "every task ends by itself": invariants.find_open_tasks(by_itself),
        "no task is forgotten": invariants.find_forgotten_tasks(load.accepted, by_itself),
        "only failed tasks hold hosts": invariants.find_wrong_holders(aftermath.read_holders(faults.rig), by_itself),
    }


def count_least_hits(minutes: float) -> int:
    """Return the number of times that each kind of fault must hit live claims in a run of this length."""
    return max(1 if minutes < 2 else MIN_HITS, int(MIN_HITS_PER_MINUTE * minutes))


def _judge(
    ended: aftermath.Outcome, visits: list[Visit], alive: dict[int, bool], faults: Faults, least: int
) -> dict[str, list[str]]:
    tasks, made, hosts = ended.tasks.values(), faults.made, ended.hosts
    reasons = invariants.list_losses(made, faults.watch.burials)
    skipped = invariants.list_skipped_hosts(tasks)
    return {
        "no two claims of a host at one time": faults.watch.breaches,
        "record, inventory and hosts agree": invariants.find_disagreements(hosts, alive, skipped),
        "no host is held in the end": invariants.find_held_hosts(hosts),
        "counts are what the subtasks are": ended.miscounted,
        "one command for each run and loss": invariants.find_repeated_commands(tasks, visits, reasons),
        "one visit commands once": invariants.find_insistent_visits(visits),
        "commands overlap after a loss only": invariants.find_overlaps(visits, reasons)[1],
        "nothing is left in the store": invariants.find_leaked_keys(
            ended.keys, ended.alive, set(ended.tasks), set(ended.hosts)
        ),
        "processes end at SIGTERM and come back": faults.breaches,
        "every fault hit live claims": invariants.find_missed_kinds(made, least),
        "the system came back after each fault": invariants.find_unrecovered_faults(made),
    }


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.main", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="repeat the draws of this seed")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long to make faults")
    parser.add_argument(
        "--directory", type=Path, default=Path("var/chaos"), help="the directory for all files; it is emptied first"
    )
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    report.say(f"seed {seed}, {options.minutes:g} minutes, {_HOSTS} hosts; logs are under {options.directory}")
    shutil.rmtree(options.directory, ignore_errors=True)
    options.directory.mkdir(parents=True)
    status = run(options.directory.resolve(), seed, options.minutes)
    report.say(f"seed {seed}: " + ("a breach; the same again: make chaos SEED=" + str(seed) if status else "all holds"))
    return status


if __name__ == "__main__":
    sys.exit(main())
