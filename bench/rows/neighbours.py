"""Whether a bad host or a big task is in the way of others."""

from collections.abc import Sequence

from bench import system as fleet
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.waiting import until
from core.plan import PlannedStep
from core.record import SubtaskRecord, TaskRecord
from core.status import Status

_SOME_DELAY = "0.05"
"""Seconds that a healthy host takes beside wedged ones."""
_LONG_DELAY = "1"
"""Seconds that a host of the task ahead takes."""


def wedged(bench: Bench) -> Sequence[Finding]:
    """Stop a big fleet with and without wedged hosts; how long do the others take?"""
    one_of = bench.sizes.one_wedged_of
    healthy, disturbed = _others(bench, every=0), _others(bench, every=one_of)
    raw = {"hosts": bench.sizes.many, "none_wedged_s": healthy, "some_wedged_s": disturbed, "wedged": f"1 of {one_of}"}
    what = f"{bench.sizes.many:,} stub hosts, 1 of {one_of} wedged: time of the others, against none"
    return [Finding(what, Goal(1.5, "x"), disturbed / healthy, raw)]


def _others(bench: Bench, *, every: int) -> float:
    """Return the seconds from the acceptance until all hosts are stopped that are not wedged."""
    sizes, given = bench.sizes, {"OCPFLEET_STUB_DELAY": _SOME_DELAY, "OCPFLEET_STUB_WEDGED": str(every)}
    place = bench.directory / f"wedged-{every}"
    with fleet.running(place, workers=bench.workers, patience=sizes.patience, settings=given) as system:
        system.add_hosts(fleet.stub_targets(sizes.many))
        system.timed([1])
        wanted = sizes.many - (sizes.many // every if every else 0)
        task_id = system.stop_agents(range(1, sizes.many + 1))
        until(lambda: _count(system, task_id, Status.SUCCESSFUL) >= wanted, sizes.patience, "the others are stopped")
        done = [
            record.finished
            for record in _of_hosts(system, system.head(task_id))
            if record.status is Status.SUCCESSFUL and record.finished is not None
        ]
        return (max(done) - system.head(task_id).started) / 1000


def behind(bench: Bench) -> Sequence[Finding]:
    """Ask for one host while a big task is at work; how long until it is claimed?"""
    sizes, given = bench.sizes, {"OCPFLEET_STUB_DELAY": _LONG_DELAY}
    with fleet.running(
        bench.directory / "behind", workers=bench.workers, patience=sizes.patience, settings=given
    ) as system:
        system.add_hosts(fleet.stub_targets(sizes.many + 1))
        big = system.stop_agents(range(1, sizes.many + 1))
        until(lambda: _count(system, big, Status.RUNNING), sizes.patience, "the big task is at work")
        one = system.ended(system.stop_agents([sizes.many + 1]))
        stored = system.ask(system.store.tasks.subtasks(one))
        (on_host,) = _of_hosts(system, one)
        going = not system.head(big).finished
    waited = ((on_host.started or 0) - one.started) / 1000
    first = min(record.started for record in stored.values() if record.started is not None)
    raw = {
        "hosts_ahead": sizes.many,
        "first_claim_s": (first - one.started) / 1000,
        "claim_of_its_host_s": waited,
        "the_big_task_was_still_running": going,
    }
    what = f"one host behind a running task of {sizes.many:,}: time to the claim of its host"
    return [Finding(what, Goal(2, "s"), waited, raw)]


def _count(system: fleet.Fleet, task_id: int, status: Status) -> int:
    task = system.head(task_id)
    return task.counts.get((_on_hosts(task).index, status), 0)


def _of_hosts(system: fleet.Fleet, task: TaskRecord) -> list[SubtaskRecord]:
    """Return the records of a task's work on hosts."""
    stored = system.ask(system.store.tasks.subtasks(task))
    return [stored[series_id] for series_id in _on_hosts(task).series if series_id in stored]


def _on_hosts(task: TaskRecord) -> PlannedStep:
    return next(planned for planned in task.plan if planned.step.action.is_remote)
