"""How patient a stop is, and how far it may go. All times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopPolicy:
    """The waits of one stop. The defaults follow what real agents were measured to take."""

    command_timeout: float = 30.0
    """For one command on the host. The agent's own stop gives up after 10."""
    verify_after_timeout: float = 30.0
    """For agentd to end after it was told to: its services can make it take more than 20."""
    lock_retry_every: float = 2.5
    """Between two tries while another start or stop of the same agent runs."""
    lock_retry_for: float = 15.0
    """For such tries in all."""
    orphan_wait: float = 10.0
    """For a process to end after it got TERM."""
    kill_allowed: bool = False
    """Whether a process that did not end after TERM may get KILL."""
    kill_wait: float = 5.0
    """For a process to end after it got KILL."""
    proof_wait: float = 3.0
    """For a process whose executable cannot be read to end: in its last moments no process's can."""
    poll_every: float = 1.0
    """Between two looks."""
