"""How patient a stop or a start is, and how far it may go. All times in seconds."""

from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class StartPolicy:
    """The waits of one start. The defaults follow what real agents were measured to take."""

    stop: StopPolicy = field(default_factory=StopPolicy)
    """For a stop that has to come before the start; its `command_timeout`, `lock_retry_every` and `poll_every` are the
    start's too."""
    settle_for: float = 30.0
    """For another start or stop to end, and for an agentd that is stopping to go, before the start."""
    ready_for: float = 30.0
    """For the agent to become ready after its start answered."""
    proof_gap: float = 3.0
    """Between the two reports that must both say that it is ready."""


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """The waits of work on a single service. The defaults follow what real agents were measured to take."""

    commands: StopPolicy = field(default_factory=StopPolicy)
    """Of it counts only `command_timeout`."""
    stop_for: float = 10.0
    """For a service to be gone after agentd was told to stop it: agentd itself kills it after 5."""
    start_for: float = 15.0
    """For a service to run and answer after agentd was told to start it."""
    poll_every: float = 0.5
    """Between two looks."""
