"""What is gathered while things are killed: values, and nothing that is done. Times are monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """A fault that is made."""

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
    """The process: a worker's is "worker-2.3" in its third life."""
    claims: int
    """Live claims that it hit: the worker's own, or of all workers where it was no worker."""
    recovered: float | None = None
    """Seconds until its claims were in other hands, or until the system was ready again."""


@dataclass(frozen=True, slots=True)
class Burial:
    """A worker's number that went out of the record: it was called lost, or left."""

    who: str
    """The worker in that life, as with a visit."""
    after: float
    """When it was in the record last."""
    seen: float
    """When that was seen not to be so any more."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A reason why what a worker was at on a host may have been begun again by another one."""

    who: str
    """The worker in that life."""
    why: str
    since: float
    """The other one cannot have begun before."""
    until: float
    """It goes for all that the worker began until then."""


@dataclass(slots=True)
class Visit:
    """A connection to a host: what one run of a claim did there. The product tells a host no claim."""

    host: int
    who: str
    """The worker process by its key, such as "worker-2.3"."""
    began: float
    ended: float | None = None
    """When the connection was gone."""
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """A command that a visit gave to a host."""

    verb: str
    began: float
    ended: float | None = None
    answer: str = ""
    """"done", "refused", "locked"; "" while it runs."""

    @property
    def changes(self) -> bool:
        """Whether it was a stop or a start that came past the agent's lock."""
        return self.verb in {"stop", "start"} and self.answer != "locked"


@dataclass(frozen=True, slots=True)
class Host:
    """A host as the record has it in the end."""

    agent: str
    holder: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the record has it in the end."""

    status: str
    hosts: tuple[int, ...]
    runs: dict[int, int]
    """By host: how many runs that change its agent the record counts, ways back included."""
    finished: int = 0
    """When it ended, in milliseconds; 0 where it did not."""
    kind: str = ""
    """Its type, such as "batch_stop_agents"."""
    skipped: frozenset[int] = frozenset()
    """Hosts of which such a run was skipped: what the record says of their agents is a person's word."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the system in the end, when all is quiet."""

    name: str
    """What it is, such as "api" or "worker-1"; "" where nobody knows it."""
    pid: int
    command: str
    to_hosts: int = 0
    """Its connections to hosts."""
    others: int = 0
    """Its other connections that it has not closed."""


@dataclass(frozen=True, slots=True)
class ClaimSeen:
    """A claim on a subtask that works on a host, as it stood in the record at one moment."""

    worker: int
    task: int
    host: int
