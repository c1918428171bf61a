"""Results are recorded, steps open, tasks end."""

import asyncio

from core.journal import OUTPUT_LIMIT, Journal
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Settled, Succeeded
from infra.store.task_values import ClaimRequest
from tests.support.records import FIRST, FIRST_WAIT, NOW, PREPARE, SECOND, STOP, make_failures, make_successes, run_log
from tests.support.scenario import Record


class Results:
    async def test_a_result_ends_the_run(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        settlement = await task.settle([*make_successes(claims[:1]), *make_failures(claims[1:2])], at=NOW + 7)
        assert (settlement.opened, settlement.task_status, settlement.stale) == (None, TaskStatus.RUNNING, ())
        stored = await task.subtasks()
        assert [stored[one].status for one in range(3)] == [Status.SUCCESSFUL, Status.FAILED, Status.RUNNING]
        assert (stored[0].finished, stored[0].token, stored[2].finished) == (NOW + 7, None, None)
        assert [await task.stands(claim) for claim in claims] == [False, False, True]

    async def test_nothing_ends_before_it_began_however_clocks_are_set(self, record: Record) -> None:
        task = await record.accept((1, 2))
        hour = 3_600_000
        early = await task.claim(PREPARE, 1, at=NOW - hour)
        late = await task.claim(PREPARE, 1, at=NOW + hour)
        await task.fail(early, at=NOW - hour)
        await task.succeed(late, at=NOW - hour)
        stored = await task.subtasks()
        assert [(one.started, one.finished) for _, one in sorted(stored.items())] == [
            (NOW, NOW),
            (NOW + hour, NOW + hour),
        ]
        over = await task.head()
        assert (over.status, over.finished) == (TaskStatus.FAILED, NOW)

    async def test_a_call_that_went_back_in_time_calls_off_at_the_start(self, record: Record) -> None:
        task = await record.accept((1, 2))
        assert await task.cancel(at=NOW - 5) is True
        assert {one.finished for one in (await task.subtasks()).values()} == {NOW}
        assert (await task.head()).finished == NOW

    async def test_a_stale_result_writes_nothing_and_is_named(self, record: Record) -> None:
        task = await record.accept()
        first, second, _ = await task.claim(PREPARE)
        await task.succeed([first])
        before = await task.read_all()
        late: list[Settled] = [
            Failed(first.series_id, first.token, run_log(1, "duplicate")),
            Failed(second.series_id, second.token + 50, run_log(1, "forged")),
            Succeeded(5, 1, run_log(1, "of a subtask that nobody claimed")),
            Succeeded(999, 1, run_log(1, "of a subtask that is not there")),
        ]
        settlement = await task.settle(late)
        assert settlement.stale == (first.series_id, second.series_id, 5, 999)
        assert await task.read_all() == before
        assert await task.logs(first.series_id) == (run_log(1, "well"),)

    async def test_a_result_of_another_step_is_stale(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        assert (await task.settle(make_successes(claims), step=STOP)).stale == (0, 1, 2)

    async def test_the_same_result_twice_in_a_batch_counts_once(self, record: Record) -> None:
        task = await record.accept((1, 2))
        first, _ = await task.claim(PREPARE)
        settlement = await task.succeed([first, first])
        assert (settlement.opened, settlement.stale) == (None, (0,))

    async def test_the_last_success_opens_the_next_step_and_one_caller_is_told(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        told = [(await task.succeed([claim])).opened for claim in (*claims, *claims)]
        assert told == [None, None, FIRST_WAIT, None, None, None]
        assert (await task.head()).opened == FIRST_WAIT

    async def test_of_concurrent_overlapping_batches_exactly_one_is_told(self, record: Record) -> None:
        for size in (1, 2, 5, 40):
            task = await record.accept(range(1, size + 1))
            results = make_successes(await task.claim(PREPARE))
            step = task.plan.steps[PREPARE]
            overlapping = (results, results[: size // 2 + 1], results[size // 2 :], results)
            answers = await asyncio.gather(
                *(record.tasks.advance(task.accepted, step, FIRST, NOW, settled=batch) for batch in overlapping)
            )
            assert [settlement.opened for settlement, _ in answers].count(FIRST_WAIT) == 1
            assert sum(len(settlement.stale) for settlement, _ in answers) == sum(map(len, overlapping)) - size
            assert (await task.head()).counts == {(PREPARE, Status.SUCCESSFUL): size}

    async def test_the_barrier_changes_nothing_while_some_are_open(self, record: Record) -> None:
        task = await record.accept()
        first, second, third = await task.claim(PREPARE)
        await task.fail([first])
        settlement = await task.succeed([second])
        assert settlement.task_status is TaskStatus.RUNNING, "a failure ends nothing while another run is open"
        settlement = await task.succeed([third], at=NOW + 9)
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.FAILED)
        ended = await task.head()
        assert (ended.status, ended.finished, ended.opened) == (TaskStatus.FAILED, NOW + 9, PREPARE)
        assert {status for status, _, _ in (await task.list_statuses())[3:]} == {Status.PENDING}

    async def test_unclaimed_subtasks_hold_the_barrier_too(self, record: Record) -> None:
        task = await record.accept()
        first, second = await task.claim(PREPARE, 2)
        settlement = await task.settle([*make_failures([first]), *make_successes([second])])
        assert (settlement.opened, settlement.task_status) == (None, TaskStatus.RUNNING)
        (rest,) = await task.claim(PREPARE, 5)
        assert rest.series_id == 2, "a failure stops nobody from the same step"

    async def test_the_last_step_ends_the_task(self, record: Record) -> None:
        task = await record.accept()
        told = [await task.pass_step(step, at=NOW + step) for step in range(5)]
        assert [one.opened for one in told] == [1, 2, 3, 4, None]
        assert [one.task_status for one in told] == [TaskStatus.RUNNING] * 4 + [TaskStatus.SUCCESSFUL]
        ended = await task.head()
        assert (ended.status, ended.finished, ended.opened) == (TaskStatus.SUCCESSFUL, NOW + 4, 4)
        assert {one.status for one in (await task.subtasks()).values()} == {Status.SUCCESSFUL}

    async def test_one_call_records_results_and_claims_more(self, record: Record) -> None:
        task = await record.accept(range(1, 6))
        claims = await task.claim(PREPARE, 2)
        settlement, more = await task.advance(PREPARE, make_successes(claims), ClaimRequest(2), worker=SECOND)
        assert settlement.stale == ()
        assert [claim.series_id for claim in more.granted] == [2, 3]
        assert (await task.raw_events())[-1] == {"at": str(NOW), "step": "0", "S": "0-1", "R": "2-3"}

    async def test_events_say_what_was_opened_and_what_ended(self, record: Record) -> None:
        task = await record.accept((1, 2, 3, 4))
        claims = await task.claim(PREPARE)
        await task.succeed([claims[0], claims[3]])
        await task.succeed(claims[1:3])
        await task.fail_step(FIRST_WAIT)
        at = {"at": str(NOW)}
        assert (await task.raw_events())[1:] == [
            at | {"step": "0", "R": "0-3"},
            at | {"step": "0", "S": "0,3"},
            at | {"step": "0", "S": "1-2", "opened": "1"},
            at | {"step": "1", "R": "4"},
            at | {"step": "1", "F": "4", "task": "FAILED"},
        ]

    async def test_logs_come_back_as_they_were_written_clipped_outputs_included(self, record: Record) -> None:
        task = await record.accept((1,))
        journal = Journal(clock=lambda: NOW + 5)
        journal.add("Ünïcödé, \x00, “quotes” and\nlines")
        journal.add_output(exit_status=255, signal=None, stdout="é" * OUTPUT_LIMIT, stderr="no")
        log = run_log(1, *(line.text for line in journal.lines))
        (claim,) = await task.claim(PREPARE)
        await task.settle([Failed(0, claim.token, log)])
        assert await task.logs(0) == (log,)
        assert sum(len(line.text.encode()) for line in log.lines) < OUTPUT_LIMIT + 200
        assert await task.logs(1) == ()

    async def test_every_run_has_its_log(self, record: Record) -> None:
        task = await record.accept((1, 2))
        first, _ = await task.claim(PREPARE)
        await task.fail([first])
        await task.retry(0)
        (again,) = await task.claim(PREPARE)
        assert (again.operation, again.run_time) == (Operation.RETRY, 2)
        assert await task.logs(0) == (run_log(1, "badly"),)
        await task.succeed([again])
        assert await task.logs(0) == (run_log(1, "badly"), run_log(2, "well"))

    async def test_a_result_of_a_former_run_is_stale(self, record: Record) -> None:
        task = await record.accept((1, 2))
        first, _ = await task.claim(PREPARE)
        await task.fail([first])
        await task.retry(0)
        (again,) = await task.claim(PREPARE)
        assert (await task.succeed([first])).stale == (0,)
        assert await task.stands(again)
