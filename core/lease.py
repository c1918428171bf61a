"""A lease on a host: for a while no task gets it, and nobody else a lease. What works on a host without a task has one.

It lapses by itself, so that a process that dies with one blocks nobody for long. A host that a task holds is never
leased: of a task and a lease the first one there has the host.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on some hosts for a while."""

    id: str
    """Whose it is; never used twice."""
    purpose: str
    """What for, as people read it: "to stop process monagent of its agent"."""
    lasts: int
    """Milliseconds after which it lapses."""


@dataclass(frozen=True, slots=True)
class Leased:
    """All hosts of a chunk are leased now."""


@dataclass(frozen=True, slots=True)
class HostBusy:
    """Nothing was taken or leased: a request that is no task works on this host."""

    host_id: int
    purpose: str
    """What for."""
    left: int
    """Milliseconds after which its lease lapses at the latest."""

    @property
    def seconds(self) -> int:
        """The same in whole seconds, at least 1."""
        return max(1, -(-self.left // 1000))

    @property
    def sentence(self) -> str:
        """Who has the host, and until when."""
        return f"a request works on host {self.host_id} {self.purpose}, and ends within {self.seconds} s"
