"""What is printed in the end."""

from __future__ import annotations

import sys
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from tests.chaos import invariants
from tests.chaos.seen import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chaos.ending import Ended
    from tests.chaos.faults import Faults
    from tests.chaos.load import Load
    from tests.chaos.seen import Visit
    from tests.chaos.watch import Watch

_SHOWN = 10
"""Breaches of one kind that are printed."""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"chaos: {line}\n")
    sys.stdout.flush()


def tell(  # noqa: PLR0917 - all that was gathered
    ended: Ended,
    visits: Sequence[Visit],
    faults: Faults,
    load: Load,
    watch: Watch,
    breaches: Mapping[str, Sequence[str]],
) -> int:
    """Print all figures and breaches; return the exit status."""
    _tell_faults(faults)
    _tell_work(ended, visits, faults, load, watch)
    for what, found in breaches.items():
        say(f"{'holds ' if not found else 'BREACH'}  {what}" + (f" ({len(found)})" if found else ""))
        for sentence in found[:_SHOWN]:
            say(f"        {sentence}")
    return int(any(breaches.values()))


def _tell_faults(faults: Faults) -> None:
    say(f"{'fault':<52}{'made':>5}{'hit':>5}{'claims':>8}{'back after: median':>20}{'worst':>8}")
    for kind in Kind:
        made = [fault for fault in faults.made if fault.kind is kind]
        hit = [fault for fault in made if fault.claims]
        back = [fault.recovered for fault in hit if fault.recovered is not None] or [0.0]
        claims = sum(fault.claims for fault in hit)
        say(f"{kind:<52}{len(made):>5}{len(hit):>5}{claims:>8}{median(back):>18.1f} s{max(back):>6.1f} s")
    for what, many in sorted(faults.by_itself.items()):
        say(f"ended by itself and was started again: {what}, {many} times")


def _tell_work(ended: Ended, visits: Sequence[Visit], faults: Faults, load: Load, watch: Watch) -> None:
    said = Counter(call.verb for visit in visits for call in visit.calls)
    locked = sum(call.answer == "locked" for visit in visits for call in visit.calls)
    found = Counter(task.status for task in ended.tasks.values())
    say(f"tasks: {len(ended.tasks)}, {dict(found)}; hosts: {len(ended.hosts)}, of which {ended.released} were released")
    say(f"connections: {len(visits)}; stops: {said['stop']}, starts: {said['start']}, met a held lock: {locked}")
    say(f"commands that overlapped on a host: {dict(invariants.overlapping(visits, faults.made)[0])}")
    say(f"looks at all claims: {watch.looks}")
    say("answers: " + "; ".join(f"{what}, {many} times" for what, many in sorted(load.answers.items())))
