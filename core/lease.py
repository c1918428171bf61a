"""A lease on a host: for a while no task and no other request gets the host. Work without a task needs a lease.

It expires by itself, so a process that dies with a lease blocks nobody for long. A host that a task holds cannot be
leased: between a task and a lease, the first has the host.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on some hosts for a while."""

    id: str
    """Identifies the owner; never used twice."""
    purpose: str
    """What it is for, as people read it: "to stop process monagent of its agent"."""
    lasts: int
    """Milliseconds after which it expires."""


@dataclass(frozen=True, slots=True)
class Leased:
    """All hosts of a chunk are leased now."""


@dataclass(frozen=True, slots=True)
class HostBusy:
    """Nothing was taken or leased: a request without a task works on this host."""

    host_id: int
    purpose: str
    """What the request does there."""
    left: int
    """Milliseconds until its lease expires at the latest."""

    @property
    def seconds(self) -> int:
        """Whole seconds until its lease expires at the latest, at least 1."""
        return max(1, -(-self.left // 1000))

    @property
    def sentence(self) -> str:
        """Who works on the host, and until when."""
        return f"a request works on host {self.host_id} {self.purpose}, and ends within {self.seconds} s"
