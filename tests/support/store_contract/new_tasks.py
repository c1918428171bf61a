"""Tasks come to be, and are withdrawn."""

import asyncio
from dataclasses import replace

from core.claim import ClaimVerdict
from core.record import PENDING, READY, Creator, TaskRecord
from core.status import Operation, TaskStatus
from core.transition import Succeeded
from infra.store.base import KeyTaken, Known, Once, StoreOptions
from tests.support.keepers import Keeper
from tests.support.records import (
    NOW,
    PREPARE,
    advance,
    check_counts,
    claim_step,
    draft,
    failed,
    head,
    run_log,
    settle,
)
from tests.support.waiting import eventually

LARGEST = 2**63 - 1


ONCE = Once("key-1", "ab12")


class NewTasks:
    async def test_a_key_stands_for_one_request_of_one_user(self, keeper: Keeper) -> None:
        store = keeper.open()
        made = await store.tasks.create_once(draft(), ONCE)
        assert isinstance(made, TaskRecord)
        assert await store.tasks.create_once(draft(at=NOW + 99), ONCE) == Known(made)
        assert await store.tasks.create_once(draft(), Once("key-1", "cd34")) == KeyTaken()
        assert isinstance(await store.tasks.create_once(draft(), Once("key-2", "ab12")), TaskRecord)
        other = replace(draft(), creator=Creator(101, "somebody"))
        assert isinstance(await store.tasks.create_once(other, ONCE), TaskRecord)

    async def test_a_known_task_is_shown_as_it_was_accepted(self, keeper: Keeper) -> None:
        store = keeper.open()
        made = await store.tasks.create_once(draft(), ONCE)
        assert isinstance(made, TaskRecord)
        await settle(store, made, PREPARE, failed(await claim_step(store, made, PREPARE)))
        known = await store.tasks.create_once(draft(), ONCE)
        assert isinstance(known, Known)
        assert replace(known.task, changes=made.changes) == made

    async def test_of_many_requests_at_once_one_is_stored(self, keeper: Keeper) -> None:
        store = keeper.open()
        made = await asyncio.gather(*(store.tasks.create_once(draft(), ONCE) for _ in range(50)))
        assert sum(isinstance(each, TaskRecord) for each in made) == 1
        tasks = [each.task if isinstance(each, Known) else each for each in made]
        assert len({task.id for task in tasks if isinstance(task, TaskRecord)}) == 1

    async def test_a_withdrawn_task_gives_its_key_back(self, keeper: Keeper) -> None:
        store = keeper.open()
        made = await store.tasks.create_once(draft(), ONCE)
        assert isinstance(made, TaskRecord)
        assert await store.tasks.withdraw(made.id)
        again = await store.tasks.create_once(draft(), Once("key-1", "cd34"))
        assert isinstance(again, TaskRecord)

    async def test_a_key_lapses(self, keeper: Keeper) -> None:
        store = keeper.open(StoreOptions(keep_once=1))
        first = await store.tasks.create_once(draft(), ONCE)
        assert isinstance(first, TaskRecord)

        async def lapsed() -> bool:
            made = await store.tasks.create_once(draft(), ONCE)
            return isinstance(made, TaskRecord)

        await eventually(lapsed, 5, "the key to lapse")

    async def test_a_created_task_reads_back_as_it_was_accepted(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((7, 5, LARGEST)))
        assert await store.tasks.head(task.id) == task
        assert (task.status, task.operation, task.opened) == (TaskStatus.RUNNING, Operation.EXECUTE, 0)
        assert (task.started, task.finished, task.counts) == (NOW, None, {})
        assert (task.creator.id, task.creator.name, task.executor) == (100, "admin", "10.0.0.1")
        assert await store.tasks.host_ids(task.id) == (7, 5, LARGEST)
        assert await store.tasks.subtasks(task) == {}

    async def test_subtask_ids_of_tasks_follow_each_other_without_gaps(self, keeper: Keeper) -> None:
        store = keeper.open()
        first = await store.tasks.create(draft((1, 2, 3)))
        second = await store.tasks.create(draft((4,)))
        third = await store.tasks.create(draft((5, 6)))
        assert (second.id, third.id) == (first.id + 1, first.id + 2)
        assert second.first_subtask_id == first.first_subtask_id + first.plan.size
        assert third.first_subtask_id == second.first_subtask_id + 5

    async def test_ten_thousand_hosts_keep_their_order_and_every_digit(self, keeper: Keeper) -> None:
        store = keeper.open()
        host_ids = tuple(range(LARGEST, LARGEST - 5000, -1)) + tuple(range(2**53 + 5000, 2**53, -1))
        task = await store.tasks.create(draft(host_ids))
        assert await store.tasks.host_ids(task.id) == host_ids
        assert task.plan.size == 30_002

    async def test_what_nothing_happened_to_is_ready_in_the_open_step_and_pending_after_it(
        self, keeper: Keeper
    ) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        found = dict((await head(store, task)).subtasks(await store.tasks.subtasks(task)))
        assert found == {0: READY, 1: READY} | dict.fromkeys(range(2, 8), PENDING)
        await check_counts(store, task.id)

    async def test_the_first_event_says_that_the_task_runs(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        assert await keeper.events(task.id) == [{"at": str(NOW), "task": "RUNNING", "opened": "0"}]

    async def test_there_is_nothing_of_a_task_that_was_never_made(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = draft().accepted(99, 1)
        assert await store.tasks.head(99) is None
        assert await store.tasks.host_ids(99) == ()
        assert await store.tasks.subtasks(task) == {}
        assert await store.tasks.logs(task, 0) == ()
        assert await keeper.events(99) == []

    async def test_a_task_that_nobody_claimed_of_can_be_withdrawn(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        assert await store.tasks.withdraw(task.id)
        assert await store.tasks.head(task.id) is None
        assert await store.tasks.host_ids(task.id) == ()
        assert await store.tasks.withdraw(task.id), "withdrawing what is gone changes nothing and is no failure"

    async def test_a_withdrawn_task_answers_that_it_is_gone(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await store.tasks.withdraw(task.id)
        late = Succeeded(1, 1, run_log())
        settlement, claims = await advance(store, task, PREPARE, [late], 5)
        assert claims.verdict is ClaimVerdict.GONE
        assert (settlement.opened, settlement.stale) == (None, (1,))
        assert await store.tasks.head(task.id) is None
        assert (await store.tasks.create(draft())).id == task.id + 1, "its number is not given again"

    async def test_a_task_that_somebody_claimed_of_stays(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await advance(store, task, PREPARE, claim=1)
        assert not await store.tasks.withdraw(task.id)
        assert (await head(store, task)).status is TaskStatus.RUNNING
