"""Runs are abandoned, tasks are stopped."""

from core.claim import ClaimKey, ClaimVerdict
from core.status import Operation, Status, TaskStatus
from infra.store.base import CHUNK, Course, CourseRefused
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
    settle,
    succeeded,
)

ALIVE = 60_000


class Cancellation:
    async def test_a_cancelled_run_is_brought_to_its_worker_until_it_is_over(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, ALIVE)
        task = await store.tasks.create(draft())
        first, second, third = await claim_step(store, task, PREPARE, worker=worker)
        assert await store.tasks.cancel(task, NOW, second.series_id) is True
        await check_counts(store, task.id)
        record = await store.tasks.subtask(task, second.series_id)
        assert record is not None
        assert record.status is Status.CANCELING
        assert not await store.tasks.stands(second)
        for _ in range(2):
            assert (await store.workers.beat(worker, ALIVE)).cancelled == {ClaimKey(task.id, 1, second.token)}
        _, answer = await advance(store, task, PREPARE, succeeded([first, second, third]), worker=worker, now=NOW + 9)
        assert not answer.granted
        record = await store.tasks.subtask(task, second.series_id)
        assert record is not None
        assert (record.status, record.operation, record.finished) == (Status.FAILED, Operation.CANCEL, NOW + 9)
        assert (await store.workers.beat(worker, ALIVE)).cancelled == set()
        assert (await head(store, task)).status is TaskStatus.FAILED
        assert len(await store.tasks.logs(task, second.series_id)) == 1

    async def test_a_run_whose_worker_is_not_alive_is_over_at_once(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        task = await store.tasks.create(draft())
        claims = await claim_step(store, task, PREPARE, worker=worker)
        assert await store.tasks.cancel(task, NOW + 3, 0) is True
        await check_counts(store, task.id)
        record = await store.tasks.subtask(task, 0)
        assert record is not None
        assert (record.status, record.operation, record.finished) == (Status.FAILED, Operation.CANCEL, NOW + 3)
        assert (await settle(store, task, PREPARE, succeeded(claims))).stale == (0,)

    async def test_a_cancelled_run_that_reports_twice_at_once_is_over(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, ALIVE)
        task = await store.tasks.create(draft())
        first, *_ = await claim_step(store, task, PREPARE, worker=worker)
        await store.tasks.cancel(task, NOW, 0)
        settlement, _ = await advance(store, task, PREPARE, failed([first, first]), worker=worker)
        assert settlement.stale == (0,)
        assert (await store.workers.beat(worker, ALIVE)).cancelled == set()

    async def test_only_a_running_subtask_can_be_cancelled(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        assert await store.tasks.cancel(task, NOW, 0) == CourseRefused("READY")
        assert await store.tasks.cancel(task, NOW, 2) == CourseRefused("PENDING")
        await settle(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))
        assert await store.tasks.cancel(task, NOW, 0) == CourseRefused("FAILED")
        assert await store.tasks.cancel(task, NOW) == CourseRefused("FAILED")
        await keeper.make_newer(task.id)
        assert await store.tasks.cancel(task, NOW) is None

    async def test_a_cancelled_task_starts_nothing_and_settles_everything(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, ALIVE)
        hosts = 2 * CHUNK + 5
        task = await store.tasks.create(draft(range(1, hosts + 1)))
        _, claims = await advance(store, task, PREPARE, claim=3, worker=worker)
        assert await store.tasks.cancel(task, NOW) is True
        await check_counts(store, task.id)
        _, refused = await advance(store, task, PREPARE, claim=3, worker=worker)
        assert (refused.verdict, refused.granted) == (ClaimVerdict.CLOSED, ())
        assert (await head(store, task)).counts == {(PREPARE, Status.CANCELING): 3, (PREPARE, Status.FAILED): hosts - 3}
        asked = (await store.workers.beat(worker, ALIVE)).cancelled
        assert asked == {claim.key for claim in claims.granted}
        await advance(store, task, PREPARE, failed(claims.granted), worker=worker)
        assert (await head(store, task)).status is TaskStatus.FAILED
        assert await keeper.expires(task.id)

    async def test_a_cancelled_task_can_be_retried(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        _, claims = await advance(store, task, PREPARE, claim=1)
        await store.tasks.cancel(task, NOW)
        assert (await head(store, task)).status is TaskStatus.FAILED
        assert await store.tasks.change_course(task, Course.RETRY, NOW) is not None
        again = await claim_step(store, task, PREPARE)
        assert [(claim.series_id, claim.operation) for claim in again] == [(one, Operation.RETRY) for one in range(3)]
        assert (await settle(store, task, PREPARE, succeeded(claims.granted))).stale == (0,)
        assert (await settle(store, task, PREPARE, succeeded(again))).opened
