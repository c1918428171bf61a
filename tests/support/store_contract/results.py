"""Results are recorded, steps open, tasks end."""

import asyncio

from core.journal import OUTPUT_LIMIT, Journal
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Settled, Succeeded
from infra.store.base import Course
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST,
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND,
    STOP,
    advance,
    claim_step,
    draft,
    failed,
    head,
    pass_step,
    run_log,
    settle,
    succeeded,
)


class Results:
    async def test_a_result_ends_the_run(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, third = await claim_step(store, task, PREPARE)
        settlement = await settle(store, task, PREPARE, [*succeeded([first]), *failed([second])], now=NOW + 7)
        assert (settlement.opened, settlement.task_status, settlement.stale) == (None, TaskStatus.RUNNING, ())
        stored = await store.tasks.subtasks(task)
        assert [stored[one].status for one in range(3)] == [Status.SUCCESSFUL, Status.FAILED, Status.RUNNING]
        assert (stored[0].finished, stored[0].token, stored[2].finished) == (NOW + 7, None, None)
        assert [await store.tasks.stands(claim) for claim in (first, second, third)] == [False, False, True]

    async def test_nothing_ends_before_it_began_however_clocks_are_set(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        hour = 3_600_000
        _, early = await advance(store, task, PREPARE, claim=1, now=NOW - hour)
        _, late = await advance(store, task, PREPARE, claim=1, now=NOW + hour)
        await advance(store, task, PREPARE, failed(early.granted), now=NOW - hour)
        await advance(store, task, PREPARE, succeeded(late.granted), now=NOW - hour)
        stored = await store.tasks.subtasks(task)
        assert [(one.started, one.finished) for _, one in sorted(stored.items())] == [
            (NOW, NOW),
            (NOW + hour, NOW + hour),
        ]
        over = await head(store, task)
        assert (over.status, over.finished) == (TaskStatus.FAILED, NOW)

    async def test_a_call_that_went_back_in_time_calls_off_at_the_start(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        assert await store.tasks.cancel(task, NOW - 5) is True
        assert {one.finished for one in (await store.tasks.subtasks(task)).values()} == {NOW}
        assert (await head(store, task)).finished == NOW

    async def test_a_stale_result_writes_nothing_and_is_named(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, _ = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, succeeded([first]))
        before = (await head(store, task), await store.tasks.subtasks(task), await keeper.events(task.id))
        late: list[Settled] = [
            Failed(first.series_id, first.token, run_log(1, "duplicate")),
            Failed(second.series_id, second.token + 50, run_log(1, "forged")),
            Succeeded(5, 1, run_log(1, "of a subtask that nobody claimed")),
            Succeeded(999, 1, run_log(1, "of a subtask that is not there")),
        ]
        settlement = await settle(store, task, PREPARE, late)
        assert settlement.stale == (first.series_id, second.series_id, 5, 999)
        assert (await head(store, task), await store.tasks.subtasks(task), await keeper.events(task.id)) == before
        assert await store.tasks.logs(task, first.series_id) == (run_log(1, "well"),)

    async def test_a_result_of_another_step_is_stale(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        claims = await claim_step(store, task, PREPARE)
        settlement, _ = await advance(store, task, STOP, succeeded(claims))
        assert settlement.stale == (0, 1, 2)

    async def test_the_same_result_twice_in_a_batch_counts_once(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        first, _ = await claim_step(store, task, PREPARE)
        settlement = await settle(store, task, PREPARE, succeeded([first, first]))
        assert (settlement.opened, settlement.stale) == (None, (0,))

    async def test_the_last_success_opens_the_next_step_and_one_caller_is_told(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        results = succeeded(await claim_step(store, task, PREPARE))
        told = [(await settle(store, task, PREPARE, [result])).opened for result in (*results, *results)]
        assert told == [None, None, FIRST_WAIT, None, None, None]
        assert (await head(store, task)).opened == FIRST_WAIT

    async def test_of_concurrent_overlapping_batches_exactly_one_is_told(self, keeper: Keeper) -> None:
        store = keeper.open()
        for size in (1, 2, 5, 40):
            task = await store.tasks.create(draft(range(1, size + 1)))
            results = succeeded(await claim_step(store, task, PREPARE))
            step = task.plan.steps[PREPARE]
            overlapping = (results, results[: size // 2 + 1], results[size // 2 :], results)
            answers = await asyncio.gather(
                *(store.tasks.advance(task, step, FIRST, NOW, settled=batch) for batch in overlapping)
            )
            assert [settlement.opened for settlement, _ in answers].count(FIRST_WAIT) == 1
            assert sum(len(settlement.stale) for settlement, _ in answers) == sum(map(len, overlapping)) - size
            assert (await head(store, task)).counts == {(PREPARE, Status.SUCCESSFUL): size}

    async def test_the_barrier_changes_nothing_while_some_are_open(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, third = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, failed([first]))
        settlement = await settle(store, task, PREPARE, succeeded([second]))
        assert settlement.task_status is TaskStatus.RUNNING, "a failure ends nothing while another run is open"
        settlement = await settle(store, task, PREPARE, succeeded([third]), now=NOW + 9)
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.FAILED)
        ended = await head(store, task)
        assert (ended.status, ended.finished, ended.opened) == (TaskStatus.FAILED, NOW + 9, PREPARE)
        assert {record.status for sid, record in ended.subtasks(await store.tasks.subtasks(ended)) if sid >= 3} == {
            Status.PENDING
        }

    async def test_unclaimed_subtasks_hold_the_barrier_too(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        _, claims = await advance(store, task, PREPARE, claim=2)
        settlement = await settle(store, task, PREPARE, [*failed(claims.granted[:1]), *succeeded(claims.granted[1:])])
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.RUNNING)
        _, rest = await advance(store, task, PREPARE, claim=5)
        assert [claim.series_id for claim in rest.granted] == [2], "a failure stops nobody from the same step"

    async def test_the_last_step_ends_the_task(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        told = [await pass_step(store, task, step, now=NOW + step) for step in range(5)]
        assert [one.opened for one in told] == [1, 2, 3, 4, None]
        assert [one.task_status for one in told] == [TaskStatus.RUNNING] * 4 + [TaskStatus.SUCCESSFUL]
        ended = await head(store, task)
        assert (ended.status, ended.finished, ended.opened) == (TaskStatus.SUCCESSFUL, NOW + 4, 4)
        assert {record.status for record in (await store.tasks.subtasks(task)).values()} == {Status.SUCCESSFUL}

    async def test_one_call_records_results_and_claims_more(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 6)))
        _, claims = await advance(store, task, PREPARE, claim=2)
        settlement, more = await advance(store, task, PREPARE, succeeded(claims.granted), 2, worker=SECOND)
        assert settlement.stale == ()
        assert [claim.series_id for claim in more.granted] == [2, 3]
        assert (await keeper.events(task.id))[-1] == {"at": str(NOW), "step": "0", "S": "0-1", "R": "2-3"}

    async def test_events_say_what_was_opened_and_what_ended(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2, 3, 4)))
        claims = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, succeeded([claims[0], claims[3]]))
        await settle(store, task, PREPARE, succeeded(claims[1:3]))
        await settle(store, task, FIRST_WAIT, failed(await claim_step(store, task, FIRST_WAIT)))
        at = {"at": str(NOW)}
        assert (await keeper.events(task.id))[1:] == [
            at | {"step": "0", "R": "0-3"},
            at | {"step": "0", "S": "0,3"},
            at | {"step": "0", "S": "1-2", "opened": "1"},
            at | {"step": "1", "R": "4"},
            at | {"step": "1", "F": "4", "task": "FAILED"},
        ]

    async def test_logs_come_back_as_they_were_written_clipped_outputs_included(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1,)))
        journal = Journal(clock=lambda: NOW + 5)
        journal.say("Ünïcödé, \x00, “quotes” and\nlines")
        journal.output(exit_status=255, signal=None, stdout="é" * OUTPUT_LIMIT, stderr="no")
        log = run_log(1, *(line.text for line in journal.lines))
        (claim,) = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, [Failed(0, claim.token, log)])
        assert await store.tasks.logs(task, 0) == (log,)
        assert sum(len(line.text.encode()) for line in log.lines) < OUTPUT_LIMIT + 200
        assert await store.tasks.logs(task, 1) == ()

    async def test_every_run_has_its_log(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        first, _ = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, failed([first]))
        await store.tasks.change_course(task, Course.RETRY, NOW, 0)
        (again,) = await claim_step(store, task, PREPARE)
        assert (again.operation, again.run_time) == (Operation.RETRY, 2)
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"),)
        await settle(store, task, PREPARE, succeeded([again]))
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"), run_log(2, "well"))

    async def test_a_result_of_a_former_run_is_stale(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        first, _ = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, failed([first]))
        await store.tasks.change_course(task, Course.RETRY, NOW, 0)
        (again,) = await claim_step(store, task, PREPARE)
        settlement = await settle(store, task, PREPARE, succeeded([first]))
        assert settlement.stale == (0,)
        assert await store.tasks.stands(again)
