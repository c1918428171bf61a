"""All rows, in the order in which they are measured and printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bench.bench import Measure
from bench.rows import accept, idle, memory, neighbours, one_host, orchestrate, over_ssh, record


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured together."""

    measure: Measure
    limit: float
    """Seconds that it may take on a machine where nothing else runs to the full; then it is broken off."""


ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "accept": Row(accept.measure, 120),
        "orchestrate": Row(orchestrate.measure, 300),
        "ssh": Row(over_ssh.measure, 420),
        "one-host": Row(one_host.measure, 90),
        "record": Row(record.measure, 120),
        "memory": Row(memory.measure, 180),
        "wedged": Row(neighbours.wedged, 180),
        "behind": Row(neighbours.behind, 180),
        "idle": Row(idle.measure, 90),
    }
)
"""By the name that ROWS= takes."""
