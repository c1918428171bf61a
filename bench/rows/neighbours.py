"""How much wedged hosts and big tasks slow down others."""

from collections.abc import Sequence

from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.system import System, make_stub_targets, run_system
from bench.waiting import wait_until
from core.plan import PlannedStep
from core.record import SubtaskRecord, TaskRecord
from core.status import Status

_SOME_DELAY = "0.05"
"""Seconds of work on a healthy host beside wedged ones."""
_LONG_DELAY = "1"
"""Seconds of work on a host of the big task."""


def measure_wedged(bench: Bench) -> Sequence[Finding]:
    """Stop a big fleet with and without wedged hosts, and compare the times of the healthy hosts."""
    one_of = bench.sizes.one_wedged_of
    healthy, disturbed = _measure_others(bench, every=0), _measure_others(bench, every=one_of)
    raw = {"hosts": bench.sizes.many, "none_wedged_s": healthy, "some_wedged_s": disturbed, "wedged": f"1 of {one_of}"}
    what = f"{bench.sizes.many:,} stub hosts, 1 of {one_of} wedged: time of the others, against none"
    return [Finding(what, Goal(1.5, "x"), disturbed / healthy, raw)]


def _measure_others(bench: Bench, *, every: int) -> float:
    """Return the seconds from the acceptance until all healthy hosts are stopped."""
    sizes, given = bench.sizes, {"OCPFLEET_STUB_DELAY": _SOME_DELAY, "OCPFLEET_STUB_WEDGED": str(every)}
    place = bench.directory / f"wedged-{every}"
    with run_system(place, workers=bench.workers, patience=sizes.patience, settings=given) as system:
        system.add_hosts(make_stub_targets(sizes.many))
        system.time_stop([1])
        healthy = sizes.many - (sizes.many // every if every else 0)
        task_id = system.stop_agents(range(1, sizes.many + 1))
        wait_until(
            lambda: _count_subtasks(system, task_id, Status.SUCCESSFUL) >= healthy,
            sizes.patience,
            "the healthy hosts are stopped",
        )
        done = [
            record.finished
            for record in _read_host_records(system, system.read_head(task_id))
            if record.status is Status.SUCCESSFUL and record.finished is not None
        ]
        return (max(done) - system.read_head(task_id).started) / 1000


def measure_behind(bench: Bench) -> Sequence[Finding]:
    """Request a stop of one host while a big task runs, and measure the time until it is claimed."""
    sizes, given = bench.sizes, {"OCPFLEET_STUB_DELAY": _LONG_DELAY}
    with run_system(
        bench.directory / "behind", workers=bench.workers, patience=sizes.patience, settings=given
    ) as system:
        system.add_hosts(make_stub_targets(sizes.many + 1))
        big = system.stop_agents(range(1, sizes.many + 1))
        wait_until(lambda: _count_subtasks(system, big, Status.RUNNING), sizes.patience, "the big task is at work")
        one = system.wait_for_end(system.stop_agents([sizes.many + 1]))
        stored = system.ask(system.store.tasks.subtasks(one))
        (on_host,) = _read_host_records(system, one)
        going = not system.read_head(big).finished
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


def _count_subtasks(system: System, task_id: int, status: Status) -> int:
    task = system.read_head(task_id)
    return task.counts.get((_find_host_step(task).index, status), 0)


def _read_host_records(system: System, task: TaskRecord) -> list[SubtaskRecord]:
    """Return the records of a task's subtasks on hosts."""
    stored = system.ask(system.store.tasks.subtasks(task))
    return [stored[series_id] for series_id in _find_host_step(task).series if series_id in stored]


def _find_host_step(task: TaskRecord) -> PlannedStep:
    return next(planned for planned in task.plan if planned.step.action.is_remote)
