"""How often those who watch a task hear something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamPace:
    """The times of an event stream, in seconds."""

    between: float = 0.25
    """At least so long between two messages."""
    silence: float = 15.0
    """After so long without news, a comment says that the stream is still open."""
    lasting: float = 3600.0
    """After so long the client has to connect again, and to authenticate again."""
