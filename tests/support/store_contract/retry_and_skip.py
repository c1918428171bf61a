"""Failed subtasks are retried and skipped."""

from core.journal import RunLog
from core.status import Operation, Status, TaskStatus
from core.transition import Failed
from infra.store.base import CHUNK, Course, CourseChanged, CourseRefused
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    STOP,
    advance,
    check_counts,
    claim_step,
    draft,
    failed,
    head,
    pass_step,
    run_log,
    settle,
    succeeded,
)


class RetryAndSkip:
    async def test_a_retry_of_a_task_runs_what_failed_and_nothing_else(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, third = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, [*succeeded([first]), *failed([second, third])])
        assert await store.tasks.change_course(task, Course.RETRY, NOW + 5) == CourseChanged(PREPARE, back=False)
        await check_counts(store, task.id)
        turned = await head(store, task)
        assert (turned.status, turned.operation, turned.finished) == (TaskStatus.RUNNING, Operation.RETRY, NOW)
        stored = await store.tasks.subtasks(task)
        assert [(stored[one].status, stored[one].operation, stored[one].run_time) for one in range(3)] == [
            (Status.SUCCESSFUL, Operation.EXECUTE, 1),
            (Status.READY, Operation.RETRY, 2),
            (Status.READY, Operation.RETRY, 2),
        ]
        claims = await claim_step(store, task, PREPARE)
        assert [(claim.series_id, claim.operation, claim.run_time) for claim in claims] == [
            (1, Operation.RETRY, 2),
            (2, Operation.RETRY, 2),
        ]
        assert (await settle(store, task, PREPARE, succeeded(claims))).opened
        assert [log.run_time for log in await store.tasks.logs(task, 1)] == [1, 2]
        assert (await keeper.events(task.id))[-3] == {
            "at": str(NOW + 5),
            "step": "0",
            "Y": "1-2",
            "task": "RUNNING",
        }

    async def test_a_retry_of_more_than_one_call_turns_loses_none(self, keeper: Keeper) -> None:
        store = keeper.open()
        hosts = 2 * CHUNK + 3
        task = await store.tasks.create(draft(range(1, hosts + 1)))
        await settle(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))
        assert await store.tasks.change_course(task, Course.RETRY, NOW) == CourseChanged(PREPARE, back=False)
        await check_counts(store, task.id)
        claims = await claim_step(store, task, PREPARE)
        assert [claim.series_id for claim in claims] == list(range(hosts))
        assert {claim.run_time for claim in claims} == {2}
        assert (await settle(store, task, PREPARE, succeeded(claims))).opened

    async def test_a_subtask_is_retried_while_its_siblings_stay(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await settle(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))
        assert await store.tasks.change_course(task, Course.RETRY, NOW, 1) == CourseChanged(PREPARE, back=False)
        await check_counts(store, task.id)
        assert (await head(store, task)).operation is Operation.EXECUTE
        (claim,) = await claim_step(store, task, PREPARE)
        assert claim.series_id == 1
        settlement = await settle(store, task, PREPARE, succeeded([claim]))
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.FAILED)

    async def test_a_skipped_subtask_runs_as_a_no_op_and_keeps_both_logs(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft([1]))
        await pass_step(store, task, PREPARE)
        await pass_step(store, task, FIRST_WAIT)
        (claim,) = await claim_step(store, task, STOP)
        alive = Failed(claim.series_id, claim.token, run_log(1, "badly"), agent_alive=True)
        await advance(store, task, STOP, [alive])
        assert await store.tasks.change_course(task, Course.SKIP, NOW, claim.series_id) == CourseChanged(
            STOP, back=False
        )
        assert (await head(store, task)).skipped
        (skipping,) = await claim_step(store, task, STOP)
        assert (skipping.operation, skipping.run_time) == (Operation.SKIP, 1)
        log = RunLog(Operation.SKIP, 1, "worker-1", run_log(1, "skipped").lines)
        (result,) = succeeded([skipping])
        assert (await settle(store, task, STOP, [type(result)(result.series_id, result.token, log)])).opened
        record = await store.tasks.subtask(task, claim.series_id)
        assert record is not None
        assert (record.status, record.operation, record.agent_alive) == (Status.SUCCESSFUL, Operation.SKIP, True)
        assert await store.tasks.logs(task, claim.series_id) == (run_log(1, "badly"), log)

    async def test_only_what_failed_can_be_asked_again(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        assert await store.tasks.change_course(task, Course.RETRY, NOW) == CourseRefused("RUNNING")
        assert await store.tasks.change_course(task, Course.RETRY, NOW, 0) == CourseRefused("READY")
        assert await store.tasks.change_course(task, Course.SKIP, NOW, 4) == CourseRefused("PENDING")
        await pass_step(store, task, PREPARE)
        assert await store.tasks.change_course(task, Course.SKIP, NOW, 0) == CourseRefused("SUCCESSFUL")
        await keeper.make_newer(task.id)
        assert await store.tasks.change_course(task, Course.RETRY, NOW) is None
        assert await store.tasks.subtask(task, 999) is None

    async def test_a_task_that_was_on_its_way_out_is_taken_back(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await settle(store, task, PREPARE, failed(await claim_step(store, task, PREPARE)))
        assert await keeper.expires(task.id)
        await store.tasks.change_course(task, Course.RETRY, NOW)
        assert not await keeper.expires(task.id)
