"""Prints the report."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tests.chaos import invariants
from tests.chaos.observations import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chaos.aftermath import Outcome
    from tests.chaos.faults import Faults
    from tests.chaos.load import Load
    from tests.chaos.observations import Fault, Process, Visit

MAX_BREACHES = 10
"""Printed breaches of one invariant."""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"chaos: {line}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything that the report shows."""

    ended: Outcome
    visits: Sequence[Visit]
    processes: Sequence[Process]
    """The APIs and the workers in the end, and unknown processes."""
    faults: Faults
    load: Load


def print_report(observations: Observations, breaches: Mapping[str, Sequence[str]]) -> int:
    """Print all figures and breaches; return the exit status."""
    _print_faults(observations.faults)
    _print_tasks(observations)
    _print_hosts(observations)
    for what, found in breaches.items():
        say(f"{'holds ' if not found else 'BREACH'}  {what}" + (f" ({len(found)})" if found else ""))
        for sentence in found[:MAX_BREACHES]:
            say(f"        {sentence}")
    return int(any(breaches.values()))


def _print_faults(faults: Faults) -> None:
    say(f"{'fault':<52}{'made':>5}{'hit':>5}{'claims':>8}{'back after: median':>20}{'worst':>8}")
    for kind in Kind:
        _print_row(kind, [fault for fault in faults.made if fault.kind is kind])
    _print_row("all", faults.made)
    say("made; of these hit live claims, and how many; until those were in other hands, or the system was ready again")
    for what, many in sorted(faults.by_itself.items()):
        say(f"ended by itself and was started again: {what}, {many} times")


def _print_row(what: str, made: Sequence[Fault]) -> None:
    hit = [fault for fault in made if fault.claims]
    back = [fault.recovered for fault in hit if fault.recovered is not None] or [0.0]
    claims = sum(fault.claims for fault in hit)
    say(f"{what:<52}{len(made):>5}{len(hit):>5}{claims:>8}{median(back):>18.1f} s{max(back):>6.1f} s")


def _print_tasks(observations: Observations) -> None:
    tasks = observations.ended.tasks.values()
    kinds = Counter(f"{task.kind} {task.status}" for task in tasks)
    worked = sum(bool(task.runs) for task in tasks)
    say(f"tasks: {len(tasks)}, of which {worked} came to their hosts; {_format_counts(kinds)}")
    say(f"answers: {_format_counts(observations.load.answers)}")


def _print_hosts(observations: Observations) -> None:
    ended, visits, faults = observations.ended, observations.visits, observations.faults
    said = Counter(call.verb for visit in visits for call in visit.calls)
    answers = Counter(call.answer or "unended" for visit in visits for call in visit.calls if call.verb != "script")
    commanded = len({visit.host for visit in visits if any(call.changes for call in visit.calls)})
    skipped = len(invariants.list_skipped_hosts(ended.tasks.values()))
    say(f"hosts commanded: {commanded} of {len(ended.hosts)}; {ended.released} were released, {skipped} are as skipped")
    commands = f"{said['stop']} stops, {said['start']} starts"
    say(f"commands: {commands}, on {len(visits)} connections; {_format_counts(answers)}")
    reasons = invariants.list_losses(faults.made, faults.watch.burials)
    say(f"commands that overlapped on a host: {_format_counts(invariants.find_overlaps(visits, reasons)[0])}")
    say(f"looks at all claims: {faults.watch.looks}, at most {faults.watch.most} claims at a time")
    for one in observations.processes:
        say(f"open in the end: {one.name or one.command}: {one.to_hosts} connections to hosts, {one.others} others")


def _format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what}: {many}" for what, many in sorted(counts.items())) or "none"
