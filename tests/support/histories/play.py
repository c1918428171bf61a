"""A random history is played on a record, and the record is looked at after every call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.brake import Brake
from core.claim import require_host_claims
from infra.store.task_values import ClaimRequest, Course
from infra.store.values import LOST
from tests.support.histories.actions import (
    HOSTS,
    Action,
    Advance,
    Bury,
    Create,
    Drain,
    Protect,
    Pull,
    Turn,
)
from tests.support.histories.history import History
from tests.support.histories.on_hosts import OnHosts
from tests.support.histories.on_subtasks import OnSubtasks
from tests.support.histories.snapshot import look
from tests.support.records import FIRST, SECOND, draft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.scenario import Record


@dataclass
class Player:
    """Does one thing after the other to a record."""

    history: History

    def __post_init__(self) -> None:
        self.on_subtasks = OnSubtasks(self.history)
        self.on_hosts = OnHosts(self.history)

    async def do(self, action: Action) -> None:
        """Do something, and check what the record says of all tasks then."""
        self.history.now += 7
        match action:
            case Create():
                await self._create(action)
            case Pull(on):
                await self._pull(on=on)
            case Bury():
                await self._bury()
            case Protect(host_id, on):
                await self.on_hosts.protect(host_id, on=on)
            case _:
                task = self.history.tasks[action.task % len(self.history.tasks)]
                await self.on_subtasks.do(task, action)
                await self.on_hosts.do(task, action)
        await self.history.check_tasks()

    async def _create(self, action: Create) -> None:
        history = self.history
        task = await history.record.tasks.create(draft(action.hosts, history.now))
        last = history.tasks[-1] if history.tasks else None
        assert last is None or (task.id, task.first_subtask_id) == (last.id + 1, last.first_subtask_id + last.plan.size)
        history.tasks.append(task)
        change = await history.look()
        assert change.after.heads[task.id] == task
        assert await history.record.tasks.host_ids(task.id) == action.hosts
        if action.holding:
            claims = await self.on_subtasks.advance(task, 0, [], ClaimRequest(10))
            await self.on_hosts.take(require_host_claims(claims), forged=False)

    async def _pull(self, *, on: bool) -> None:
        brake = Brake("admin", self.history.now, "a history")
        answer = await (self.history.record.brake.pull(brake) if on else self.history.record.brake.release())
        change = await self.history.look()
        assert change.is_nothing
        assert answer == (change.before.brake or brake if on else change.before.brake)
        assert change.after.brake == (answer if on else None)

    async def _bury(self) -> None:
        counter = (await self.history.record.workers.beats()).get(SECOND, LOST)
        assert await self.history.record.workers.condemn(SECOND, 0) == (counter == 0)
        self.history.has_lost_second = True
        is_buried = await self.history.record.workers.bury(SECOND)
        change = await self.history.look()
        assert change.is_nothing
        assert is_buried or change.before.claims[SECOND], "whoever has nothing left is buried"
        assert not is_buried or not any(change.before.is_under(claim) for claim in change.before.claims[SECOND])
        assert (await self.history.record.workers.beats()).get(SECOND) == (None if is_buried else LOST)


_ACCEPTED: Final = Create(HOSTS[:3], holding=True)
_CLAIM: Final = Advance(0, 2, (), limit=4, whole=False, own=None, second_worker=False)

BEGINNINGS: Final[Mapping[str, tuple[Action, ...]]] = {
    "hosts are taken": (_ACCEPTED,),
    "hosts may be stopped": (_ACCEPTED, Drain(0, times=2, bad=False)),
    "a stop failed": (_ACCEPTED, Drain(0, times=3, bad=True)),
    "a stop is tried again": (_ACCEPTED, Drain(0, times=3, bad=True), Turn(0, None, Course.RETRY), _CLAIM),
    "a stop is rolled back": (_ACCEPTED, Drain(0, times=3, bad=True), Turn(0, None, Course.ROLLBACK)),
}
"""Where histories begin, each of which reaches what the others seldom do."""


async def play(beginning: Sequence[Action], script: Sequence[Action], record: Record) -> None:
    """Play a history on a record in an empty Redis, and close the record."""
    try:
        await record.import_hosts(*HOSTS[:-1])
        assert [await record.workers.enrol(worker.name) for worker in (FIRST, SECOND)] == [FIRST, SECOND]
        player = Player(History(record, await look(record, ())))
        for action in (*beginning, *script):
            await player.do(action)
    finally:
        await record.aclose()
