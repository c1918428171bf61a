"""All that a record says at one moment about the tasks of a history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from core.status import Status
from infra.store import keys
from tests.support.histories.actions import HOSTS
from tests.support.records import FIRST, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.brake import Brake
    from core.claim import Claim, ClaimKey, Worker
    from core.host import Host
    from core.record import SubtaskRecord, TaskRecord
    from tests.support.scenario import Record

Place = tuple[int, int]
"""A task's id and the seriesId of one of its subtasks."""


@dataclass(frozen=True)
class Snapshot:
    """What a record says between two calls."""

    heads: Mapping[int, TaskRecord]
    """By task id; without the tasks that are gone."""
    stored: Mapping[int, Mapping[int, SubtaskRecord]]
    """By task id and seriesId: the subtasks to which something happened."""
    held: Mapping[int, int]
    """By task id: how many hosts the task holds by its own account."""
    hosts: Mapping[int, Host]
    claims: Mapping[Worker, frozenset[ClaimKey]]
    """What each worker has claimed, by its own account."""
    brake: Brake | None

    @cached_property
    def subtasks(self) -> dict[Place, SubtaskRecord]:
        """How every subtask of every task stands."""
        return {
            (head.id, series_id): one
            for head in self.heads.values()
            for series_id, one in head.derive_subtasks(self.stored[head.id])
        }

    def is_under(self, claim: Claim | ClaimKey) -> bool:
        """Return whether a subtask is running, or being cancelled, under this claim."""
        one = self.stored.get(claim.task_id, {}).get(claim.series_id)
        return one is not None and one.token == claim.token

    def stands(self, claim: Claim) -> bool:
        """Return whether a subtask is running under this claim."""
        return self._is_under(claim, Status.RUNNING)

    def is_canceling(self, claim: ClaimKey) -> bool:
        """Return whether a subtask is being cancelled under this claim."""
        return self._is_under(claim, Status.CANCELING)

    def _is_under(self, claim: Claim | ClaimKey, status: Status) -> bool:
        return self.is_under(claim) and self.stored[claim.task_id][claim.series_id].status is status


@dataclass(frozen=True)
class Change:
    """What a record said before a call, and what it says after it."""

    before: Snapshot
    after: Snapshot

    @cached_property
    def moves(self) -> dict[Place, tuple[Status, Status]]:
        """The statuses, before and after, of every subtask whose status changed."""
        former = self.before.subtasks
        return {
            place: (former[place].status, now.status)
            for place, now in self.after.subtasks.items()
            if place in former and former[place].status is not now.status
        }

    @property
    def is_nothing(self) -> bool:
        """Whether all tasks and hosts are as they were."""
        return _tasks_and_hosts(self.before) == _tasks_and_hosts(self.after)


def _tasks_and_hosts(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.heads, snapshot.stored, snapshot.held, snapshot.hosts


async def look(record: Record, task_ids: Iterable[int]) -> Snapshot:
    """Read a record."""
    heads = await record.tasks.heads(list(task_ids))
    held = record.client.pipeline(transaction=False)
    for task_id in heads:
        held.hget(keys.task(task_id), "held")
    return Snapshot(
        heads=heads,
        stored=await record.tasks.many_subtasks(list(heads.values())),
        held=dict(zip(heads, map(int, await held.execute()), strict=True)),
        hosts=await record.hosts.get(HOSTS),
        claims={worker: frozenset(await record.workers.claims(worker)) for worker in (FIRST, SECOND)},
        brake=await record.brake.get(),
    )
