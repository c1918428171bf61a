"""All rows, in the order of measuring and printing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bench.bench import Measure
from bench.rows import accept, idle, memory, neighbours, one_host, orchestrate, over_ssh, record


@dataclass(frozen=True, slots=True)
class Row:
    """Rows of the goal table that are measured together."""

    measure: Measure
    limit: float
    """Seconds after which the measurement is broken off; it never takes that long on an otherwise idle machine."""


ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "accept": Row(accept.measure, 120),
        "orchestrate": Row(orchestrate.measure, 300),
        "ssh": Row(over_ssh.measure, 420),
        "one-host": Row(one_host.measure, 90),
        "record": Row(record.measure, 120),
        "memory": Row(memory.measure, 180),
        "wedged": Row(neighbours.measure_wedged, 180),
        "behind": Row(neighbours.measure_behind, 180),
        "idle": Row(idle.measure, 90),
    }
)
"""The rows by their names in ROWS=."""
