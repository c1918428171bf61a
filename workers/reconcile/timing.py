"""How long the reconciler waits before it does something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReconcileTiming:
    """The waits of the reconciler, in seconds."""

    every: float = 2.0
    """Between two rounds."""
    lost_after: float = 15.0
    """Without a beat, until a worker is lost: several beats, and longer than a pause that a process may make."""
    grace: float = 4.0
    """After a time in which the store was away, until a worker is lost: a few beats, since nobody could beat either."""
    unclaimed_after: float = 5.0
    """Without a change, until a step that nobody claims is published again; twice as long each further time …"""
    unclaimed_at_most: float = 60.0
    """… up to this."""
    unknown_after: float = 10.0
    """Until a claim of this worker that nobody in it knows of is given back: the answer with it was lost."""

    @property
    def lead_for(self) -> int:
        """Milliseconds after its last round for which no other worker becomes the reconciler."""
        return int(self.every * 3000)
