"""The observations during a run, as plain values. Times are monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """A kind of fault."""

    KILL_WORKER = "kill -9 of a worker"
    FREEZE_WORKER = "SIGSTOP of a worker beyond its loss, then SIGCONT"
    TERM_WORKER = "SIGTERM of a worker"
    KILL_API = "kill -9 of an API"
    TERM_API = "SIGTERM of an API"
    KILL_STORE = "kill -9 of the store, back with its file"
    KILL_BROKER = "kill -9 of the broker, back empty"

    @property
    def of_worker(self) -> bool:
        """Whether it hits one worker process."""
        return self in {Kind.KILL_WORKER, Kind.FREEZE_WORKER, Kind.TERM_WORKER}


@dataclass(slots=True)
class Fault:
    """A fault that was made."""

    kind: Kind
    at: float
    victim: str
    """The process that was hit; a worker in its third life is "worker-2.3"."""
    claims: int
    """Live claims that the fault hit: those of the worker, or of all workers if another process was hit."""
    recovered: float | None = None
    """Seconds until other workers had these claims, or until the system was ready again."""


@dataclass(frozen=True, slots=True)
class Burial:
    """A worker process that went out of the record: it was called lost, or it signed off."""

    who: str
    """The worker in that life, such as "worker-2.3"."""
    after: float
    """When it was last seen in the record."""
    seen: float
    """When it was first missing."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A reason why another worker may have repeated the work of a worker on a host."""

    who: str
    """The worker in that life, such as "worker-2.3"."""
    why: str
    since: float
    """The other worker cannot have begun before this time."""
    until: float
    """The reason applies to work that the worker began until this time."""


@dataclass(slots=True)
class Visit:
    """A connection to a host, for one run of one claim. The product does not tell a host which claim it is."""

    host: int
    who: str
    """The worker process by its SSH key, such as "worker-2.3"."""
    began: float
    ended: float | None = None
    """When the connection was closed; None if it is open."""
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """A command that a host got during a visit."""

    verb: str
    began: float
    ended: float | None = None
    answer: str = ""
    """"done", "refused", "locked"; "" while it runs."""

    @property
    def changes(self) -> bool:
        """Whether it was a stop or a start that got the agent's lock."""
        return self.verb in {"stop", "start"} and self.answer != "locked"


@dataclass(frozen=True, slots=True)
class Host:
    """A host in the store in the end."""

    agent: str
    holder: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task in the store in the end."""

    status: str
    hosts: tuple[int, ...]
    runs: dict[int, int]
    """The number of runs that changed the agent, by host, including rollbacks."""
    finished: int = 0
    """When it ended, in milliseconds; 0 if it has not ended."""
    kind: str = ""
    """Its type, such as "batch_stop_agents"."""
    skipped: frozenset[int] = frozenset()
    """Hosts where such a run was skipped, so that the agent status is a person's word."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the system in the end, when all is quiet."""

    name: str
    """Its name, such as "api" or "worker-1"; "" if it is unknown."""
    pid: int
    command: str
    to_hosts: int = 0
    """Its open connections to hosts."""
    others: int = 0
    """Its other open connections."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim on a subtask of a host, as seen in the store at one moment."""

    worker: int
    task: int
    host: int
