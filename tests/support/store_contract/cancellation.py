"""Runs are abandoned, tasks are stopped."""

from core.claim import ClaimKey, ClaimVerdict
from core.status import Operation, Status, TaskStatus
from infra.store import keys
from infra.store.task_values import CourseRefused
from infra.store.values import CHUNK
from tests.support.records import NOW, PREPARE, make_failures, make_successes
from tests.support.scenario import Record


class Cancellation:
    async def test_a_cancelled_run_is_brought_to_its_worker_until_it_is_over(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await record.accept()
        first, second, third = await task.claim(PREPARE, worker=worker)
        assert await task.cancel(second.series_id) is True
        assert (await task.subtask(second.series_id)).status is Status.CANCELING
        assert not await task.stands(second)
        for _ in range(2):
            assert (await record.beat(worker)).cancelled == {ClaimKey(task.id, 1, second.token)}
        _, answer = await task.advance(PREPARE, make_successes([first, second, third]), worker=worker, at=NOW + 9)
        assert not answer.granted
        abandoned = await task.subtask(second.series_id)
        assert (abandoned.status, abandoned.operation) == (Status.FAILED, Operation.CANCEL)
        assert abandoned.finished == NOW + 9
        assert (await record.beat(worker)).cancelled == set()
        assert (await task.head()).status is TaskStatus.FAILED
        assert len(await task.logs(second.series_id)) == 1

    async def test_a_run_whose_worker_is_not_alive_is_over_at_once(self, record: Record) -> None:
        worker = await record.workers.enrol("worker-1")
        task = await record.accept()
        claims = await task.claim(PREPARE, worker=worker)
        assert await task.cancel(0, at=NOW + 3) is True
        abandoned = await task.subtask(0)
        assert (abandoned.status, abandoned.operation) == (Status.FAILED, Operation.CANCEL)
        assert abandoned.finished == NOW + 3
        assert (await task.succeed(claims)).stale == (0,)

    async def test_a_run_that_no_worker_holds_any_more_is_over_with_its_task(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await record.accept((1, 2))
        held, forgotten = await task.claim(PREPARE, worker=worker)
        await record.client.hdel(keys.claims(worker.id), f"{task.id}:{forgotten.series_id}")
        await task.cancel(held.series_id)
        assert await task.cancel() is True
        assert (await task.subtask(held.series_id)).status is Status.CANCELING
        assert (await task.subtask(forgotten.series_id)).status is Status.FAILED

    async def test_a_cancelled_run_that_reports_twice_at_once_is_over(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await record.accept()
        first, *_ = await task.claim(PREPARE, worker=worker)
        await task.cancel(0)
        settlement, _ = await task.advance(PREPARE, make_failures([first, first]), worker=worker)
        assert settlement.stale == (0,)
        assert (await record.beat(worker)).cancelled == set()

    async def test_only_a_running_subtask_can_be_cancelled(self, record: Record) -> None:
        task = await record.accept((1, 2))
        assert await task.cancel(0) == CourseRefused("READY")
        assert await task.cancel(2) == CourseRefused("PENDING")
        await task.fail_step(PREPARE)
        assert await task.cancel(0) == CourseRefused("FAILED")
        assert await task.cancel() == CourseRefused("FAILED")
        await task.make_newer()
        assert await task.cancel() is None

    async def test_a_cancelled_task_starts_nothing_and_settles_everything(self, record: Record) -> None:
        worker = await record.start_worker()
        hosts = 2 * CHUNK + 5
        task = await record.accept(range(1, hosts + 1))
        claims = await task.claim(PREPARE, 3, worker=worker)
        assert await task.cancel() is True
        refused = await task.ask(PREPARE, 3, worker=worker)
        assert (refused.verdict, refused.granted) == (ClaimVerdict.CLOSED, ())
        assert (await task.head()).counts == {(PREPARE, Status.CANCELING): 3, (PREPARE, Status.FAILED): hosts - 3}
        assert (await record.beat(worker)).cancelled == {claim.key for claim in claims}
        await task.fail(claims, worker=worker)
        assert (await task.head()).status is TaskStatus.FAILED
        assert await task.is_expiring()

    async def test_a_cancelled_task_can_be_retried(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE, 1)
        await task.cancel()
        assert (await task.head()).status is TaskStatus.FAILED
        assert await task.retry() is not None
        again = await task.claim(PREPARE)
        assert [(claim.series_id, claim.operation) for claim in again] == [(one, Operation.RETRY) for one in range(3)]
        assert (await task.succeed(claims)).stale == (0,)
        assert (await task.succeed(again)).opened
