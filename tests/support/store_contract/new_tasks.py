"""Requests become tasks, and tasks are withdrawn."""

import asyncio
from dataclasses import replace

from core.claim import ClaimVerdict
from core.record import PENDING, READY, Creator, TaskRecord
from core.status import Operation, TaskStatus
from core.transition import Succeeded
from infra.store.task_values import ClaimRequest, KeyTaken, Known, Once
from infra.store.values import StoreOptions
from tests.support.records import NOW, PREPARE, draft, run_log
from tests.support.scenario import Record, Task
from tests.support.waiting import eventually

LARGEST = 2**63 - 1

ONCE = Once("key-1", "ab12")


async def accept_once(record: Record, once: Once = ONCE) -> Task:
    """Accept a request under a key for which there is no task yet."""
    made = await record.tasks.create_once(draft(), once)
    assert isinstance(made, TaskRecord)
    return record.task(made)


class NewTasks:
    async def test_a_key_stands_for_one_request_of_one_user(self, record: Record) -> None:
        task = await accept_once(record)
        assert await record.tasks.create_once(draft(at=NOW + 99), ONCE) == Known(task.accepted)
        assert await record.tasks.create_once(draft(), Once("key-1", "cd34")) == KeyTaken()
        assert isinstance(await record.tasks.create_once(draft(), Once("key-2", "ab12")), TaskRecord)
        other = replace(draft(), creator=Creator(101, "somebody"))
        assert isinstance(await record.tasks.create_once(other, ONCE), TaskRecord)

    async def test_a_known_task_is_shown_as_it_was_accepted(self, record: Record) -> None:
        task = await accept_once(record)
        await task.fail_step(PREPARE)
        known = await record.tasks.create_once(draft(), ONCE)
        assert isinstance(known, Known)
        assert replace(known.task, changes=task.accepted.changes) == task.accepted

    async def test_of_many_requests_at_once_one_is_stored(self, record: Record) -> None:
        made = await asyncio.gather(*(record.tasks.create_once(draft(), ONCE) for _ in range(50)))
        assert sum(isinstance(each, TaskRecord) for each in made) == 1
        tasks = [each.task if isinstance(each, Known) else each for each in made]
        assert len({task.id for task in tasks if isinstance(task, TaskRecord)}) == 1

    async def test_a_withdrawn_task_gives_its_key_back(self, record: Record) -> None:
        task = await accept_once(record)
        assert await task.withdraw()
        await accept_once(record, Once("key-1", "cd34"))

    async def test_a_key_lapses(self, record: Record) -> None:
        record.configure(StoreOptions(keep_once=1))
        await accept_once(record)

        async def lapsed() -> bool:
            made = await record.tasks.create_once(draft(), ONCE)
            return isinstance(made, TaskRecord)

        await eventually(lapsed, 5, "the key lapses")

    async def test_a_created_task_reads_back_as_it_was_accepted(self, record: Record) -> None:
        task = await record.accept((7, 5, LARGEST))
        head = await task.head()
        assert head == task.accepted
        assert (head.status, head.operation, head.opened) == (TaskStatus.RUNNING, Operation.EXECUTE, 0)
        assert (head.started, head.finished, head.counts) == (NOW, None, {})
        assert (head.creator.id, head.creator.name, head.executor) == (100, "admin", "10.0.0.1")
        assert await task.host_ids() == (7, 5, LARGEST)
        assert await task.subtasks() == {}

    async def test_subtask_ids_of_tasks_follow_each_other_without_gaps(self, record: Record) -> None:
        first, second, third = [(await record.accept(hosts)).accepted for hosts in ((1, 2, 3), (4,), (5, 6))]
        assert (second.id, third.id) == (first.id + 1, first.id + 2)
        assert second.first_subtask_id == first.first_subtask_id + first.plan.size
        assert third.first_subtask_id == second.first_subtask_id + 5

    async def test_ten_thousand_hosts_keep_their_order_and_every_digit(self, record: Record) -> None:
        host_ids = tuple(range(LARGEST, LARGEST - 5000, -1)) + tuple(range(2**53 + 5000, 2**53, -1))
        task = await record.accept(host_ids)
        assert await task.host_ids() == host_ids
        assert task.plan.size == 30_002

    async def test_what_nothing_happened_to_is_ready_in_the_open_step_and_pending_after_it(
        self, record: Record
    ) -> None:
        task = await record.accept((1, 2))
        assert await task.derive_subtasks() == {0: READY, 1: READY} | dict.fromkeys(range(2, 8), PENDING)
        await task.check_counts()

    async def test_the_first_event_says_that_the_task_runs(self, record: Record) -> None:
        task = await record.accept()
        assert await task.raw_events() == [{"at": str(NOW), "task": "RUNNING", "opened": "0"}]

    async def test_there_is_nothing_of_a_task_that_was_never_made(self, record: Record) -> None:
        task = record.task(draft().to_task(99, 1))
        assert await task.is_gone()
        assert await task.host_ids() == ()
        assert await task.subtasks() == {}
        assert await task.logs(0) == ()
        assert await task.raw_events() == []

    async def test_a_task_that_nobody_claimed_of_can_be_withdrawn(self, record: Record) -> None:
        task = await record.accept()
        assert await task.withdraw()
        assert await task.is_gone()
        assert await task.host_ids() == ()
        assert await task.withdraw(), "to withdraw what is gone changes nothing and is no failure"

    async def test_a_withdrawn_task_answers_that_it_is_gone(self, record: Record) -> None:
        task = await record.accept()
        await task.withdraw()
        settlement, claims = await task.advance(PREPARE, [Succeeded(1, 1, run_log())], ClaimRequest(5))
        assert claims.verdict is ClaimVerdict.GONE
        assert (settlement.opened, settlement.stale) == (None, (1,))
        assert await task.is_gone()
        assert (await record.accept()).id == task.id + 1, "its number is not given again"

    async def test_a_task_that_somebody_claimed_of_stays(self, record: Record) -> None:
        task = await record.accept()
        await task.claim(PREPARE, 1)
        assert not await task.withdraw()
        assert (await task.head()).status is TaskStatus.RUNNING
