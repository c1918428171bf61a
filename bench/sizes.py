"""The size of a run of the benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of hosts, rounds and seconds in the rows."""

    many: int = 10_000
    """Stub hosts of a big task."""
    some: int = 1_000
    """Hosts of a task of ordinary size, stub hosts or over SSH."""
    few: int = 10
    """Stub hosts of a small task."""
    one_wedged_of: int = 100
    """One of this many hosts is wedged."""
    requests: int = 200
    """Requests whose median is taken."""
    rounds: int = 3
    """Rounds in which long things are measured in turn."""
    in_flight: int = 256
    """Hosts at a time over SSH, for us and for the floor."""
    forks: int = 50
    """Hosts at a time for the other programs."""
    idle_for: float = 20.0
    """Seconds for which an idle system is measured."""
    slow_stop: float = 25.0
    """Seconds of a stop when all hosts are meant to be in flight together."""
    patience: float = 300.0
    """Seconds until a row gives up on one task or chord."""


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
"""For a check that everything works; the figures mean nothing."""
