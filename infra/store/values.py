"""The options of a store, its limits, and the values of its smaller parts."""

from dataclasses import dataclass

CHUNK = 200
"""The most subtasks or hosts that one call of a script works on. Such a call takes the store a few milliseconds."""

SUSPECT = 2
"""A subtask that lost its worker so often is a suspect: it may be why. A worker runs one suspect at a time."""

LOST = -1
"""The counter of a worker that was declared lost."""

TOO_MANY_LOSSES = 5
"""A subtask that lost its worker so often fails: twice as one of many, three times as a suspect."""

FIRST_USER_ID = 100
"""The number of the first user, as in OCP, where admin is 100."""


@dataclass(frozen=True, slots=True)
class LapsingCounter:
    """A counter that lapses."""

    count: int
    """0 if it lapsed, or nothing was counted."""
    left: int
    """Milliseconds until it lapses; 0 if it did."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is used."""

    keep_tasks: int = 30 * 24 * 3600 * 1000
    """How long a task is kept that ended and holds no host, in milliseconds."""
    keep_once: int = 24 * 3600 * 1000
    """How long a client's key for a request is kept, in milliseconds."""
    keep_events: int = 3600 * 1000
    """How long the events of a task that ended are kept, in milliseconds."""
    keep_audit: int = 100_000
    """The most entries of the audit that are kept; the oldest go."""
    timeout: float = 5.0
    """Seconds to wait for an answer, and for a free connection."""
    connections: int = 64
    """The most connections from this process."""
    replicas: int = 0
    """How many replicas must have a task before it counts as stored."""
    may_forget: bool = False
    """Whether to accept a server that does not persist its data, or that evicts keys."""
