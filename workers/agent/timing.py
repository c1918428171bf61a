"""How long the work on an agent waits, and how far it may go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The waits of the work on one host, in seconds. The defaults follow what real agents were measured to take."""

    command_timeout: float = 30.0
    """For one command on the host. The agent's own stop gives up after 10."""
    poll_every: float = 1.0
    """Between two looks at the host."""
    lock_retry_every: float = 2.5
    """Between two calls while another start or stop of the same agent holds the agent's lock."""

    lock_retry_for: float = 15.0
    """Stop: how long such calls are repeated."""
    verify_after_timeout: float = 30.0
    """Stop: for agentd to end after it was told to. Its services can make it take more than 20."""
    orphan_wait: float = 10.0
    """Stop: for a process to end after it got TERM."""
    kill_allowed: bool = False
    """Stop: whether a process that did not end after TERM may get KILL."""
    kill_wait: float = 5.0
    """Stop: for a process to end after it got KILL."""
    proof_wait: float = 3.0
    """Stop: for a process whose executable cannot be read to end: no process that ends lets it be read."""

    settle_for: float = 30.0
    """Start: for another start or stop to end, and for an agentd that is stopping, before the start is called."""
    ready_for: float = 30.0
    """Start: for the agent to become ready after its start answered."""
    proof_gap: float = 3.0
    """Start: between the two statuses that must both say that the agent is ready."""

    service_stop_for: float = 10.0
    """Service: for it to end after agentd was told to stop it. agentd itself kills it after 5."""
    service_start_for: float = 15.0
    """Service: for it to run and answer after agentd was told to start it."""
    service_poll_every: float = 0.5
    """Service: between two looks at the host."""
