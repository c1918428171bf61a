"""How big a run of the benchmark is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many hosts, rounds and seconds the rows take."""

    many: int = 10_000
    """Hosts of a big task, on stub hosts."""
    some: int = 1_000
    """Hosts of a task of ordinary size, on stub hosts and over SSH."""
    few: int = 10
    """Hosts of a small task."""
    one_wedged_of: int = 100
    """Of so many hosts one is wedged."""
    requests: int = 200
    """Requests of which the median is taken."""
    rounds: int = 3
    """How often two long things are measured in turn."""
    in_flight: int = 256
    """Hosts that we and the floor work on at a time over SSH."""
    forks: int = 50
    """Hosts that the peers work on at a time."""
    idle_for: float = 20.0
    """Seconds for which an idle system is watched."""
    slow_stop: float = 25.0
    """Seconds that a stop takes where all hosts are to be in flight at a time."""
    patience: float = 300.0
    """Seconds that one thing may take at the most before its row is given up."""


FULL = Sizes()
TINY = Sizes(
    many=60,
    some=20,
    few=5,
    one_wedged_of=20,
    requests=5,
    rounds=1,
    in_flight=8,
    forks=8,
    idle_for=1.0,
    slow_stop=1.0,
    patience=60.0,
)
"""To see that everything works; the figures mean nothing."""
