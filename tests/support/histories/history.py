"""A record to which things are done at random, and what was learnt of it on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.status import TaskStatus
from infra.store.task_values import TaskQuery
from tests.support.histories import invariants
from tests.support.histories.snapshot import Change, Snapshot, look
from tests.support.records import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.claim import Claim, ClaimKey
    from core.record import TaskRecord
    from tests.support.histories.invariants import Pair
    from tests.support.scenario import Record

QUERIES = (
    TaskQuery(),
    TaskQuery(frozenset({TaskStatus.FAILED, TaskStatus.SUCCESSFUL}), creator="admin", limit=2, offset=1),
    TaskQuery(frozenset({TaskStatus.RUNNING}), frozenset({"batch_stop_agents"}), ascending=True, limit=1),
)


@dataclass
class History:
    """A record, and what was learnt of it on the way."""

    record: Record
    seen: Snapshot
    """What the record said after the last call."""
    tasks: list[TaskRecord] = field(default_factory=list)
    """As they were accepted."""
    claims: list[Claim] = field(default_factory=list)
    """All that were ever granted."""
    reported: set[ClaimKey] = field(default_factory=set)
    """Claims of which a result was handed in, recorded or not."""
    now: int = NOW
    checked: Mapping[int, TaskRecord] = field(default_factory=dict)
    """The tasks at the last check of their lists and events."""
    has_lost_second: bool = False
    """Whether the second worker was called lost: it is granted nothing from then on."""

    def task(self, task_id: int) -> TaskRecord:
        """Return a task as it was accepted."""
        return next(task for task in self.tasks if task.id == task_id)

    async def look(self, allowed: frozenset[Pair] = invariants.NO_MOVE) -> Change:
        """Check what the record says after a call that may make these moves, and return what it changed."""
        change = Change(self.seen, await look(self.record, [task.id for task in self.tasks]))
        self.seen = change.after
        invariants.check_moves(change, allowed)
        invariants.check_snapshot(change.after)
        invariants.check_workers(change.after, self.reported)
        return change

    async def check_tasks(self) -> None:
        """Check what else the record says of the tasks, where they are not as they were at the last check."""
        if self.seen.heads != self.checked:
            await self._check_lists()
            await self._check_events()
            self.checked = self.seen.heads

    async def _check_lists(self) -> None:
        """Check that each list shows the tasks that fulfil its conditions."""
        for query in QUERIES:
            page = await self.record.tasks.page(query, self.now)
            matches = [head for _, head in sorted(self.seen.heads.items()) if _matches(query, head)]
            in_order = matches if query.ascending else matches[::-1]
            assert page.total == len(matches)
            assert list(page.items) == in_order[query.offset : query.offset + query.limit]

    async def _check_events(self) -> None:
        """Check that the events of each task lead to where it stands."""
        for head in self.seen.heads.values():
            if self.checked.get(head.id) != head:
                invariants.check_events(head, self.seen.stored[head.id], await self.record.tasks.events(head.id))


def _matches(query: TaskQuery, head: TaskRecord) -> bool:
    return (
        (query.statuses is None or head.status in query.statuses)
        and (query.types is None or head.type_slug in query.types)
        and query.creator in {None, head.creator.name}
    )
