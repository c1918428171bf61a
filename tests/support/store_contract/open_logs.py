"""The logs of runs that go on."""

from core.claim import ClaimKey
from core.status import Operation, Status
from infra.store.task_values import OpenLog
from infra.store.values import CHUNK
from tests.support.records import FINISH, PREPARE, make_failures, make_successes, open_log, run_log
from tests.support.scenario import Record


class OpenLogs:
    async def test_what_a_run_has_done_so_far_can_be_read_and_grows(self, record: Record) -> None:
        task = await record.accept()
        first, second, _ = await task.claim(PREPARE)
        await record.note(open_log(first, "one"), open_log(second, "ONE"))
        assert await task.logs(0) == (open_log(first, "one").log,)
        await record.note(open_log(first, "one", "two"))
        assert await task.logs(0) == (open_log(first, "one", "two").log,)
        assert await task.logs(1) == (open_log(second, "ONE").log,)
        assert [(sid, log.closed) for sid, log in await task.every_log()] == [(0, False), (1, False)]

    async def test_the_last_log_of_a_run_takes_its_place(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        await record.note(*(open_log(claim, "so far") for claim in claims))
        await task.succeed(claims)
        for series_id in range(3):
            assert await task.logs(series_id) == (run_log(1, "well"),)

    async def test_nothing_but_logs_is_changed(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        before = await task.read_all()
        await record.note(*(open_log(claim, "so far") for claim in claims))
        await record.note()
        assert await task.read_all() == before
        assert await task.stands(claims[0])

    async def test_without_a_claim_that_stands_nothing_is_noted(self, record: Record) -> None:
        task = await record.accept()
        first, second, _ = await task.claim(PREPARE)
        await task.fail([first])
        forged = ClaimKey(task.id, second.series_id, second.token + 50)
        await record.note(
            open_log(first, "late"),
            OpenLog(forged, run_log(1, "forged")),
            OpenLog(ClaimKey(task.id, 5, 1), run_log(1, "of a subtask that nobody claimed")),
            OpenLog(ClaimKey(task.id, 999, 1), run_log(1, "of a subtask that is not there")),
            OpenLog(ClaimKey(task.id + 50, 0, 1), run_log(1, "of a task that is not there")),
        )
        assert await task.logs(0) == (run_log(1, "badly"),)
        assert [sid for sid, _ in await task.every_log()] == [0]
        await task.retry(0)
        (again,) = await task.claim(PREPARE)
        await record.note(open_log(first, "later still"), open_log(again, "again"))
        assert await task.logs(0) == (run_log(1, "badly"), open_log(again, "again").log)

    async def test_runs_of_many_tasks_are_noted_together(self, record: Record) -> None:
        many = await record.accept(range(1, 151))
        few = [await record.accept((host_id, 9)) for host_id in range(1, 11)]
        claims = [claim for task in (*few[:5], many, *few[5:]) for claim in await task.claim(PREPARE)]
        mixed = sorted(claims, key=lambda claim: claim.series_id)
        assert len(mixed) <= CHUNK
        await record.note(*(open_log(claim, f"{claim.task_id}:{claim.series_id}") for claim in mixed))
        for task in (many, *few):
            noted = {sid: log.lines[0].text for sid, log in await task.every_log()}
            assert noted == {sid: f"{task.id}:{sid}" for sid in range(task.accepted.host_count)}

    async def test_a_run_that_is_being_cancelled_is_noted_and_its_log_stays(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await record.accept()
        first, second, third = await task.claim(PREPARE, worker=worker)
        await task.cancel(second.series_id)
        await record.note(*(open_log(claim, "so far") for claim in (first, second, third)))
        assert await task.logs(1) == (open_log(second, "so far").log,)
        await task.fail([second], worker=worker)
        assert await task.logs(1) == (run_log(1, "badly"),)
        await record.workers.leave(worker)
        await task.cancel(third.series_id)
        await record.note(open_log(third, "so far", "too late"))
        assert await task.logs(2) == (open_log(third, "so far").log,), "what a lost worker left"
        await task.check_counts()

    async def test_a_skip_leaves_the_log_of_what_it_skipped(self, record: Record) -> None:
        worker = await record.start_worker()
        task = await record.accept((1, 2))
        first, _ = await task.claim(PREPARE, worker=worker)
        await task.fail([first])
        await task.skip(0)
        (skip,) = await task.claim(PREPARE, worker=worker)
        assert skip.operation is Operation.SKIP
        await record.note(open_log(skip, "skipping"))
        assert await task.logs(0) == (run_log(1, "badly"), open_log(skip, "skipping").log)
        await task.cancel(0)
        await task.fail([skip], worker=worker)
        abandoned = await task.subtask(0)
        assert (abandoned.status, abandoned.operation) == (Status.FAILED, Operation.CANCEL)
        assert await task.logs(0) == (run_log(1, "badly"), run_log(1, "badly"))

    async def test_what_is_undone_is_noted_beside_what_was_done(self, record: Record) -> None:
        task = await record.accept((1, 2))
        first, second = await task.claim(PREPARE)
        await task.settle([*make_failures([first]), *make_successes([second])])
        await task.roll_back()
        claims = await task.claim(PREPARE)
        await record.note(*(open_log(claim, "undoing") for claim in claims))
        done = {first.series_id: run_log(1, "badly"), second.series_id: run_log(1, "well")}
        for claim in claims:
            assert claim.operation is Operation.ROLLBACK
            so_far = open_log(claim, "undoing").log
            assert await task.logs(claim.series_id) == (done[claim.series_id], so_far)

    async def test_the_log_of_a_task_that_is_over_goes_with_it(self, record: Record) -> None:
        task = await record.accept((1,))
        (claim,) = await task.claim(PREPARE)
        await record.note(open_log(claim, "so far"))
        await task.succeed([claim])
        for step in range(PREPARE + 1, FINISH + 1):
            await task.pass_step(step)
        await record.note(open_log(claim, "late"))
        assert await task.is_expiring()
        assert await task.logs(0) == (run_log(1, "well"),)
