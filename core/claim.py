"""What a worker gets when it asks the store for work."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from core.host import Target
from core.lease import HostBusy, Leased
from core.status import Operation, TaskStatus


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process, as the store knows it."""

    id: int
    """Its number; every process gets a new one when it starts."""
    name: str
    """Its Celery node name, which subtasks show as their executor."""


@dataclass(frozen=True, slots=True)
class ClaimKey:
    """What identifies a claim."""

    task_id: int
    series_id: int
    token: int


@dataclass(frozen=True, slots=True)
class _SubtaskClaim:
    """The right to run one subtask, proved by a token that is never used again."""

    task_id: int
    series_id: int
    operation: Operation
    """Why it runs: the worker does what the record says, whatever the message said."""
    run_time: int
    """Which run this is, from 1."""
    token: int
    """Every write about this run carries it."""

    @property
    def key(self) -> ClaimKey:
        """What identifies the claim."""
        return ClaimKey(self.task_id, self.series_id, self.token)


@dataclass(frozen=True, slots=True)
class WaitClaim(_SubtaskClaim):
    """The right to run a wait node, which belongs to no host."""


@dataclass(frozen=True, slots=True)
class HostClaim(_SubtaskClaim):
    """The right to run a subtask that belongs to a host."""

    host_id: int
    target: Target | None
    """How to reach the host; None where it is no longer in the inventory."""
    held: bool
    """Whether the task holds the host."""
    touched: bool = False
    """Whether an earlier run of the subtask changed the agent on the host, or may have."""
    suspect: bool = False
    """Whether the subtask lost so many workers that it may have killed them. A worker has one suspect at a time."""


Claim: TypeAlias = HostClaim | WaitClaim
"""What a worker gets for each subtask that it may run."""


def require_host_claims(claims: Iterable[Claim]) -> list[HostClaim]:
    """Return the claims, each of which must belong to a host.

    Raises:
        TypeError: one is the claim of a wait node.
    """
    host_claims: list[HostClaim] = []
    for claim in claims:
        if not isinstance(claim, HostClaim):
            raise TypeError(f"subtask {claim.series_id} of task {claim.task_id} has no host")
        host_claims.append(claim)
    return host_claims


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a worker's beat."""

    known: bool
    """Whether the store knows the worker."""
    cancelled: frozenset[ClaimKey] = frozenset()
    """The worker's claims that it is asked to give up."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """What became of claims that were taken from a worker."""

    ready: int = 0
    """How many subtasks are ready again."""
    failed: int = 0
    """How many are FAILED: they were being cancelled, or were lost too often."""


class ClaimVerdict(StrEnum):
    """Why a worker got the claims that it got."""

    GRANTED = "granted"
    """It got some, or none because no subtask is left that it may have now."""
    GONE = "gone"
    """The task does not exist: it was withdrawn or has expired."""
    NEWER = "newer"
    """The task's record has a version that this code does not know."""
    EARLY = "early"
    """The step is not open yet."""
    CLOSED = "closed"
    """The task was cancelled, so nothing new starts."""
    BRAKED = "braked"
    """The fleet's brake is on, so no new work begins. A message that is claiming a whole step goes on with it."""
    BUSY = "busy"
    """Another message is working on the whole step."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The answer to a claim."""

    verdict: ClaimVerdict
    granted: tuple[Claim, ...] = ()
    withheld: bool = False
    """Whether suspects were held back, because this worker already has one."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The answer to a batch of results."""

    opened: int | None
    """The index of the step that this call opened: the next one, or in a rollback the one before. The store tells
    exactly one caller, which must publish the rest."""
    task_status: TaskStatus
    """The task's status now."""
    stale: tuple[int, ...]
    """The seriesIds whose claims were no longer valid: nothing was written for them."""


NOTHING_SETTLED = Settlement(opened=None, task_status=TaskStatus.RUNNING, stale=())


@dataclass(frozen=True, slots=True)
class Taken:
    """The task holds all hosts of the chunk now."""


@dataclass(frozen=True, slots=True)
class HeldByOther:
    """None of the chunk was taken: another task holds this host."""

    host_id: int
    holder: int


@dataclass(frozen=True, slots=True)
class Protected:
    """Nothing was taken or leased: this host is protected."""

    host_id: int


@dataclass(frozen=True, slots=True)
class NotInInventory:
    """None of the chunk was taken: this host is not in the inventory."""

    host_id: int


@dataclass(frozen=True, slots=True)
class StaleClaim:
    """None of the chunk was taken: the claim of this subtask is no longer valid."""

    series_id: int


@dataclass(frozen=True, slots=True)
class GivenAway:
    """This host is not taken again: another task has held it since, or it is no longer in the inventory."""

    host_id: int


Taking = Taken | HeldByOther | HostBusy | Protected | NotInInventory | StaleClaim
Retaking = Taken | HeldByOther | HostBusy | Protected | GivenAway
Leasing = Leased | HeldByOther | HostBusy | Protected | NotInInventory
Protecting = Protected | HeldByOther | HostBusy | NotInInventory
