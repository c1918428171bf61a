"""One run of the benchmark, as every row gets it, and how figures are taken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.finding import Finding
from bench.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark."""

    sizes: Sizes
    directory: Path
    """The directory for all files of the run."""
    workers: int = 1
    """Worker processes, both of ours and of a Celery chord."""
    peers: bool = True
    """Whether programs of other projects may be installed and measured."""


Measure = Callable[[Bench], Sequence[Finding]]
"""Measures one row, or several rows together."""


def measure_in_turn(rounds: int, *timed: Callable[[], float]) -> list[list[float]]:
    """Measure several things in turn, so that other load on the machine affects all of them alike.

    Returns:
        The figures of each thing, in the order of the rounds.
    """
    taken: list[list[float]] = [[] for _ in timed]
    for _ in range(rounds):
        for figures, measure in zip(taken, timed, strict=True):
            figures.append(measure())
    return taken


def compute_medians(figures: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each thing's figures."""
    return [median(each) for each in figures]
