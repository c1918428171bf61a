"""What orchestration costs: tasks on stub hosts against a stock Celery chord of one message per host."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bench import chord
from bench import system as fleet
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.sizes import Sizes

GROWTH: Final = "growth"
"""Where the last row's raw figures have all sizes, 10 … 10,000 hosts: they are what the plot shows."""
_GOAL = Goal(8, "x", at_least=True)

Step = dict[str, float | list[float]]
"""The figures of one size; a list has one for each round."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Run tasks and chords of growing size in turn."""
    sizes = bench.sizes
    ours_at, theirs_at = bench.directory / "orchestrate", bench.directory / "chord"
    with (
        fleet.running(ours_at, workers=bench.workers, patience=sizes.patience) as system,
        chord.running(theirs_at, workers=bench.workers, patience=sizes.patience) as chords,
    ):
        system.add_hosts(fleet.stub_targets(sizes.many))
        system.timed([1])
        chords.timed(1)  # both are warm now
        growth = {hosts: _step(system, chords, hosts, bench.sizes) for hosts in _numbers(bench)}
    shared: dict[str, object] = {"workers": bench.workers}
    return [
        _finding(growth[sizes.some], shared | growth[sizes.some]),
        _finding(growth[sizes.many], shared | growth[sizes.many] | {GROWTH: list(growth.values())}),
    ]


def _step(system: fleet.Fleet, chords: chord.Chords, hosts: int, sizes: Sizes) -> Step:
    """Measure one size. The biggest chord is run once only, since it takes longer than all the rest."""
    accepted, ours, theirs = [], [], []
    used: dict[str, list[float]] = {kind: [] for kind in system.cpu_by_kind()}
    for round_ in range(sizes.rounds):
        before = system.cpu_by_kind()
        task_id, seconds = system.accepted(range(1, hosts + 1))
        accepted.append(seconds)
        ours.append(fleet.lasted(system.ended(task_id)))
        for kind, seconds in system.cpu_by_kind().items():
            used[kind].append(seconds - before[kind])
        if not round_ or hosts <= sizes.some:
            theirs.append(chords.timed(hosts))
    step: Step = {"hosts": hosts, "accept_s": accepted, "ours_s": ours, "chord_s": theirs}
    return step | {f"{kind}_cpu_ms_per_host": [1000 * one / hosts for one in all_] for kind, all_ in used.items()}


def _finding(step: Step, raw: dict[str, object]) -> Finding:
    hosts, ours, theirs = (median_of(step[name]) for name in ("hosts", "ours_s", "chord_s"))
    rates = {"ours_hosts_per_s": hosts / ours, "chord_hosts_per_s": hosts / theirs}
    what = f"orchestrate {hosts:,.0f} stub hosts, hosts/s, against a stock Celery chord"
    return Finding(what, _GOAL, theirs / ours, raw | rates)


def median_of(figures: float | list[float]) -> float:
    """Return the median of a step's figures."""
    return median(figures) if isinstance(figures, list) else figures


def _numbers(bench: Bench) -> list[int]:
    """Return the sizes: a few hosts, ten times as many, and so on."""
    sizes = bench.sizes
    return sorted({sizes.few, min(10 * sizes.few, sizes.some), sizes.some, sizes.many})
