"""The program: `make chaos SEED=… MINUTES=…`. Exits with 1 where an invariant does not hold."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import aftermath as ending
from tests.chaos import invariants, report
from tests.chaos.faults import Faults
from tests.chaos.load import Load
from tests.chaos.rig import WORKERS, standing
from tests.chaos.watch import Watch
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.chaos.observations import Visit

_HOSTS = 200
_LIMIT = 300.0
"""Seconds within which every task ends by itself once nothing is killed any more: hosts that lost workers before run
one by one in each worker, and each waits until the step is published again."""
_HITS, _HITS_A_MINUTE = 5, 2.5
"""Every kind of fault hits live claims at least so often, and in a long run so often a minute; a run of less than two
minutes is too short for five of each."""
_CONNECTIONS = 64
"""Most connections that the API or a worker keeps open with nothing to do: what its pools hold, and the beat."""


def run(directory: Path, seed: int, minutes: float) -> int:
    """Run it all, print what came of it, and return the exit status."""
    least = hits_wanted(minutes)
    with standing(directory, _HOSTS, seed) as rig:
        watch, load = Watch(rig), Load(rig, _HOSTS, seed)
        faults = Faults(rig, watch, random.Random(f"{seed} faults"))
        _torment(faults, load, 60 * minutes, least)
        breaches = _left_alone(faults, load)
        rig.calm_hosts()
        released = ending.give_back(rig, load, faults.supervise)
        unquiet = ending.quiet(watch, len(WORKERS), 60)
        ended = asyncio.run(ending.gather(rig, watch, load, released))
        visits, alive = ending.hung_up(rig.log, _HOSTS, 30)
        processes = ending.hushed(rig, _CONNECTIONS, 30)
        watch.stop()
    processes += ending.survivors(rig.run, 10)
    breaches |= _judged(ended, visits, alive, faults, least) | {
        "all becomes quiet": unquiet,
        "no process is left": invariants.strays(processes),
        "no connection is left": invariants.unclosed(visits) + invariants.connected(processes, _CONNECTIONS),
    }
    return report.tell(report.Gathered(ended, visits, processes, faults, load), breaches)


def _torment(faults: Faults, load: Load, seconds: float, least: int) -> None:
    """Make faults under load."""
    faults.watch.start()
    load.start()
    began = time.monotonic()
    try:
        faults.torment(seconds, least)
    finally:
        load.stop()
    report.say(f"{len(faults.made)} faults in {time.monotonic() - began:.0f} s; now all is left alone")


def _left_alone(faults: Faults, load: Load) -> dict[str, list[str]]:
    """Wait until all that was begun has ended by itself; return the breaches."""
    faults.mend(120)
    wait_until(faults.rig.ready, 120, "the system to be ready")
    last = time.monotonic()
    by_itself = ending.left_alone(faults.rig, faults.supervise, _LIMIT)
    report.say(f"all tasks ended {time.monotonic() - last:.1f} s after that")
    return {
        "every task ends by itself": invariants.ended(by_itself),
        "no task is forgotten": invariants.forgotten(load.accepted, by_itself),
        "only failed tasks hold hosts": invariants.holding(ending.holders(faults.rig), by_itself),
    }


def hits_wanted(minutes: float) -> int:
    """Return how often each kind of fault must hit live claims in a run of so many minutes."""
    return max(1 if minutes < 2 else _HITS, int(_HITS_A_MINUTE * minutes))


def _judged(
    ended: ending.Ended, visits: list[Visit], alive: dict[int, bool], faults: Faults, least: int
) -> dict[str, list[str]]:
    tasks, made = ended.tasks.values(), faults.made
    reasons = invariants.losses(made, faults.watch.burials)
    return {
        "no two claims of a host at one time": faults.watch.breaches,
        "record, inventory and hosts agree": invariants.agreeing(ended.hosts, alive, invariants.said_by_people(tasks)),
        "no host is held in the end": invariants.held(ended.hosts),
        "counts are what the subtasks are": ended.miscounted,
        "one command for each run and loss": invariants.repeated(tasks, visits, reasons),
        "one visit commands once": invariants.insistent(visits),
        "commands overlap after a loss only": invariants.overlapping(visits, reasons)[1],
        "nothing is left in the store": invariants.leaked(ended.keys, ended.alive, set(ended.tasks), set(ended.hosts)),
        "processes end at SIGTERM and come back": faults.breaches,
        "every fault hit live claims": invariants.missed(made, least),
        "the system came back after each fault": invariants.unrecovered(made),
    }


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.main", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="draw the same again")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long things are killed")
    parser.add_argument(
        "--directory", type=Path, default=Path("var/chaos"), help="where everything goes; emptied first"
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
