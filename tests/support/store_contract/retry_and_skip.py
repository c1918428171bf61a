"""Failed subtasks are retried and skipped."""

from core.journal import RunLog
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Succeeded
from infra.store import keys
from infra.store.task_values import CourseChanged, CourseRefused
from infra.store.values import CHUNK
from tests.support.records import NOW, PREPARE, STOP, make_failures, make_successes, run_log
from tests.support.scenario import Record


class RetryAndSkip:
    async def test_a_retry_of_a_task_runs_what_failed_and_nothing_else(self, record: Record) -> None:
        task = await record.accept()
        first, second, third = await task.claim(PREPARE)
        await task.settle([*make_successes([first]), *make_failures([second, third])])
        assert await task.retry(at=NOW + 5) == CourseChanged(PREPARE, backwards=False)
        turned = await task.head()
        assert (turned.status, turned.operation, turned.finished) == (TaskStatus.RUNNING, Operation.RETRY, NOW)
        assert (await task.list_statuses())[:3] == [
            (Status.SUCCESSFUL, Operation.EXECUTE, 1),
            (Status.READY, Operation.RETRY, 2),
            (Status.READY, Operation.RETRY, 2),
        ]
        claims = await task.claim(PREPARE)
        assert [(claim.series_id, claim.operation, claim.run_time) for claim in claims] == [
            (1, Operation.RETRY, 2),
            (2, Operation.RETRY, 2),
        ]
        assert (await task.succeed(claims)).opened
        assert [log.run_time for log in await task.logs(1)] == [1, 2]
        assert (await task.raw_events())[-3] == {"at": str(NOW + 5), "step": "0", "Y": "1-2", "task": "RUNNING"}

    async def test_a_retry_of_more_than_one_call_turns_loses_none(self, record: Record) -> None:
        hosts = 2 * CHUNK + 3
        task = await record.accept(range(1, hosts + 1))
        await task.fail_step(PREPARE)
        assert await task.retry() == CourseChanged(PREPARE, backwards=False)
        claims = await task.claim(PREPARE)
        assert [claim.series_id for claim in claims] == list(range(hosts))
        assert {claim.run_time for claim in claims} == {2}
        assert (await task.succeed(claims)).opened

    async def test_a_retry_that_broke_off_is_not_rolled_back_but_finished(self, record: Record) -> None:
        task = await record.accept()
        await task.fail_step(PREPARE)
        await record.client.hset(keys.task(task.id), "turning", "retry")
        await record.client.hset(keys.task(task.id), "status", TaskStatus.RUNNING)
        assert await task.roll_back() == CourseRefused("RUNNING")
        assert await task.retry(0) == CourseRefused("FAILED")
        assert await task.retry() == CourseChanged(PREPARE, backwards=False)
        assert not (await task.head()).turning
        assert {claim.operation for claim in await task.claim(PREPARE)} == {Operation.RETRY}

    async def test_a_subtask_is_retried_while_its_siblings_stay(self, record: Record) -> None:
        task = await record.accept()
        await task.fail_step(PREPARE)
        assert await task.retry(1) == CourseChanged(PREPARE, backwards=False)
        assert (await task.head()).operation is Operation.EXECUTE
        (claim,) = await task.claim(PREPARE)
        assert claim.series_id == 1
        settlement = await task.succeed([claim])
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.FAILED)

    async def test_a_skipped_subtask_runs_as_a_no_op_and_keeps_both_logs(self, record: Record) -> None:
        task = await record.accept([1])
        await task.pass_steps_before(STOP)
        (claim,) = await task.claim(STOP)
        await task.settle([Failed(claim.series_id, claim.token, run_log(1, "badly"), agent_alive=True)])
        assert await task.skip(claim.series_id) == CourseChanged(STOP, backwards=False)
        assert (await task.head()).skipped
        (skip,) = await task.claim(STOP)
        assert (skip.operation, skip.run_time) == (Operation.SKIP, 1)
        log = RunLog(Operation.SKIP, 1, "worker-1", run_log(1, "skipped").lines)
        assert (await task.settle([Succeeded(skip.series_id, skip.token, log)])).opened
        done = await task.subtask(claim.series_id)
        assert (done.status, done.operation, done.agent_alive) == (Status.SUCCESSFUL, Operation.SKIP, True)
        assert await task.logs(claim.series_id) == (run_log(1, "badly"), log)

    async def test_only_what_failed_can_be_asked_again(self, record: Record) -> None:
        task = await record.accept()
        assert await task.retry() == CourseRefused("RUNNING")
        assert await task.retry(0) == CourseRefused("READY")
        assert await task.skip(4) == CourseRefused("PENDING")
        await task.pass_step(PREPARE)
        assert await task.skip(0) == CourseRefused("SUCCESSFUL")
        await task.make_newer()
        assert await task.retry() is None
        assert await record.tasks.subtask(task.accepted, 999) is None

    async def test_a_task_that_was_on_its_way_out_is_taken_back(self, record: Record) -> None:
        task = await record.accept()
        await task.fail_step(PREPARE)
        assert await task.is_expiring()
        await task.retry()
        assert not await task.is_expiring()
