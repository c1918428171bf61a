"""What every row gets: how big the run is, and a place of its own."""

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
    """Where everything that it starts keeps its files."""
    workers: int = 1
    """Worker processes, ours and a peer's alike."""
    peers: bool = True
    """Whether programs that are no part of this project may be installed and measured."""


Measure = Callable[[Bench], Sequence[Finding]]
"""A row, or several that are measured together."""


def in_turn(rounds: int, *timed: Callable[[], float]) -> list[list[float]]:
    """Measure several things in turn, so that whatever else the machine does falls on all of them.

    Returns:
        The figures of each, in the order in which they were taken.
    """
    taken: list[list[float]] = [[] for _ in timed]
    for _ in range(rounds):
        for figures, measure in zip(taken, timed, strict=True):
            figures.append(measure())
    return taken


def medians(figures: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each."""
    return [median(each) for each in figures]
