"""How a store is used, its limits, and what its smaller parts answer."""

from dataclasses import dataclass

CHUNK = 200
"""How many subtasks or hosts one script call works on: a few milliseconds of the store's time at the most."""

SUSPECT = 2
"""So many losses of its worker make a subtask a suspect: a worker has one suspect at a time."""

LOST = -1
"""Where the counter of a worker stands that was called lost."""

TOO_MANY_LOSSES = 5
"""So many losses fail a subtask: two among others, three as a suspect."""

FIRST_USER_ID = 100
"""The number of the first user, as in OCP, where admin is 100."""


@dataclass(frozen=True, slots=True)
class LapsingCounter:
    """A counter that lapses."""

    count: int
    """0 where nothing was counted, or it lapsed."""
    left: int
    """Milliseconds until it lapses; 0 where it did."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is used."""

    keep_tasks: int = 30 * 24 * 3600 * 1000
    """For how many milliseconds a task that ended and holds no host is kept."""
    keep_once: int = 24 * 3600 * 1000
    """For how many milliseconds a client's key for a request holds."""
    keep_events: int = 3600 * 1000
    """For how many milliseconds the events of a task that ended are kept."""
    keep_audit: int = 100_000
    """So many entries of the audit are kept; the oldest go."""
    timeout: float = 5.0
    """Seconds to wait for an answer, and for a free connection."""
    connections: int = 64
    """At most so many connections from this process."""
    replicas: int = 0
    """A task counts as stored once so many replicas have it."""
    may_forget: bool = False
    """Whether a server that does not persist, or that evicts, is accepted."""
