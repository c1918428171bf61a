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

from tests.chaos import ending, invariants, report
from tests.chaos.faults import Faults
from tests.chaos.load import Load
from tests.chaos.rig import WORKERS, standing
from tests.chaos.watch import Watch
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.chaos.seen import Fault, Visit

_HOSTS = 200
_LIMIT = 300.0
"""Seconds within which every task ends by itself once nothing is killed any more: hosts that lost workers before run
one by one in each worker, and each waits until the step is published again."""
_HITS_A_MINUTE = 2.5
"""Every kind of fault hits live claims so often: five times in two minutes."""


def run(directory: Path, seed: int, minutes: float) -> int:
    """Run it all, print what came of it, and return the exit status."""
    with standing(directory, _HOSTS, seed) as rig:
        watch, load = Watch(rig), Load(rig, _HOSTS, seed)
        faults = Faults(rig, watch, random.Random(f"{seed} faults"))  # noqa: S311 - no secret
        watch.start()
        load.start()
        began = time.monotonic()
        try:
            faults.torment(60 * minutes)
        finally:
            load.stop()
        faults.mend(60)
        wait_until(rig.ready, 60, "the system to be ready")
        last = time.monotonic()
        by_itself = ending.left_alone(rig, faults.supervise, _LIMIT)
        report.say(
            f"faults for {last - began:.0f} s; all tasks ended {time.monotonic() - last:.1f} s after the last one"
        )
        rig.calm_hosts()
        released = ending.give_back(rig, load, faults.supervise)
        still = ending.quiet(watch, len(WORKERS), 30)
        breaches = {
            "every task ends by itself": invariants.ended(by_itself),
            "no task is forgotten": [f"task {task} is gone" for task in load.accepted if task not in by_itself],
            "no two claims of a host at one time": watch.breaches,
            "processes end at SIGTERM and come back": faults.breaches,
            "all becomes quiet": [] if still else [f"workers and claims: {watch.latest}"],
        }
        ended = asyncio.run(ending.gather(rig, watch, load, released))
        visits, alive = ending.hung_up(rig.log, _HOSTS, 10)
        watch.stop()
    breaches |= _judged(ended, visits, alive, faults.made, minutes)
    return report.tell(ended, visits, faults, load, watch, breaches)


def _judged(
    ended: ending.Ended, visits: list[Visit], alive: dict[int, bool], faults: list[Fault], minutes: float
) -> dict[str, list[str]]:
    found = {task: one.status for task, one in ended.tasks.items()}
    least = max(1, int(_HITS_A_MINUTE * minutes))
    return {
        "record, inventory and hosts agree": invariants.agreeing(ended.hosts, alive),
        "only failed tasks hold hosts": invariants.holding(ended.hosts, found),
        "counts are what the subtasks are": ended.miscounted,
        "one command for each run and loss": invariants.repeated(ended.tasks.values(), visits, faults),
        "one visit commands once": invariants.insistent(visits),
        "commands overlap after a loss only": invariants.overlapping(visits, faults)[1],
        "nothing is left in the store": invariants.leaked(ended.keys, ended.alive, set(found), set(ended.hosts)),
        "no connection is left": invariants.unclosed(visits),
        "every fault hit live claims": invariants.missed(faults, least),
        "the system came back after each fault": invariants.unrecovered(faults),
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
