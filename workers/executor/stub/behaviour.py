"""How a stub host behaves."""

from enum import Enum, auto


class Behaviour(Enum):
    """How a stub host takes its commands."""

    HEALTHY = auto()
    """Its agent runs, and ends when it is told to."""
    STOPPED = auto()
    """Its agent does not run."""
    UNREACHABLE = auto()
    """No connection can be made."""
    LOST = auto()
    """The connection breaks during the agent's own stop or start."""
    WEDGED = auto()
    """No command ever ends."""
    ORPHANS = auto()
    """agentd is dead and its children are not: the agent's own stop says ok and does nothing; TERM ends them."""
    STUBBORN = auto()
    """agentd gets its TERM and does not end; only KILL ends it."""
    REFUSING = auto()
    """The agent's own stop and start say no with `StubFleet.refusal`, and everything stays as it is."""
    LAME = auto()
    """Its agent starts, and one of its services never comes up."""
    PROXIED = auto()
    """It has a pos proxy, as with agents before 3.2."""
    MISSING = auto()
    """There is no control program; agent processes run all the same."""
    BARE = auto()
    """There is no agent at all."""
