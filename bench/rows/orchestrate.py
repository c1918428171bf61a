"""The cost of orchestration: tasks on stub hosts, against a plain Celery chord with one message per host."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.bench import Bench
from bench.chord import Chords, run_chords
from bench.finding import Finding, Goal
from bench.sizes import Sizes
from bench.system import System, get_duration, make_stub_targets, run_system

GROWTH: Final = "growth"
"""The key of the figures of all sizes, 10 … 10,000 hosts, in the raw figures of the last row; the plot shows them."""
_GOAL = Goal(8, "x", at_least=True)

Step = dict[str, float | list[float]]
"""The figures of one size; a list has one figure per round."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Run tasks and chords of growing size, in turn."""
    sizes = bench.sizes
    ours_at, theirs_at = bench.directory / "orchestrate", bench.directory / "chord"
    with (
        run_system(ours_at, workers=bench.workers, patience=sizes.patience) as system,
        run_chords(theirs_at, workers=bench.workers, patience=sizes.patience) as chords,
    ):
        system.add_hosts(make_stub_targets(sizes.many))
        system.time_stop([1])
        chords.time_chord(1)  # both are warm now
        growth = {hosts: _measure_size(system, chords, hosts, bench.sizes) for hosts in _list_sizes(bench)}
    shared: dict[str, object] = {"workers": bench.workers}
    return [
        _make_finding(growth[sizes.some], shared | growth[sizes.some]),
        _make_finding(growth[sizes.many], shared | growth[sizes.many] | {GROWTH: list(growth.values())}),
    ]


def _measure_size(system: System, chords: Chords, hosts: int, sizes: Sizes) -> Step:
    """Measure one size. The biggest chord runs only once, since it takes longer than everything else."""
    accepted, ours, theirs = [], [], []
    used: dict[str, list[float]] = {kind: [] for kind in system.measure_cpu_by_kind()}
    for round_ in range(sizes.rounds):
        before = system.measure_cpu_by_kind()
        task_id, seconds = system.submit_stop(range(1, hosts + 1))
        accepted.append(seconds)
        ours.append(get_duration(system.wait_for_end(task_id)))
        for kind, seconds in system.measure_cpu_by_kind().items():
            used[kind].append(seconds - before[kind])
        if not round_ or hosts <= sizes.some:
            theirs.append(chords.time_chord(hosts))
    step: Step = {"hosts": hosts, "accept_s": accepted, "ours_s": ours, "chord_s": theirs}
    return step | {f"{kind}_cpu_ms_per_host": [1000 * one / hosts for one in all_] for kind, all_ in used.items()}


def _make_finding(step: Step, raw: dict[str, object]) -> Finding:
    hosts, ours, theirs = (get_median(step[name]) for name in ("hosts", "ours_s", "chord_s"))
    rates = {"ours_hosts_per_s": hosts / ours, "chord_hosts_per_s": hosts / theirs}
    what = f"orchestrate {hosts:,.0f} stub hosts, hosts/s, against a stock Celery chord"
    return Finding(what, _GOAL, theirs / ours, raw | rates)


def get_median(figures: float | list[float]) -> float:
    """Return the median of figures, or the figure itself."""
    return median(figures) if isinstance(figures, list) else figures


def _list_sizes(bench: Bench) -> list[int]:
    """Return the sizes: a few hosts, ten times as many, and so on."""
    sizes = bench.sizes
    return sorted({sizes.few, min(10 * sizes.few, sizes.some), sizes.some, sizes.many})
