"""The logs of runs that go on."""

from core.claim import ClaimKey
from core.status import Operation, Status
from infra.store.base import CHUNK, Course, OpenLog
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
    open_log,
    pass_step,
    run_log,
    settle,
    succeeded,
)

ALIVE = 60_000


class OpenLogs:
    async def test_what_a_run_has_done_so_far_can_be_read_and_grows(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, _ = await claim_step(store, task, PREPARE)
        await store.tasks.note_logs([open_log(first, "one"), open_log(second, "ONE")])
        assert await store.tasks.logs(task, 0) == (open_log(first, "one").log,)
        await store.tasks.note_logs([open_log(first, "one", "two")])
        assert await store.tasks.logs(task, 0) == (open_log(first, "one", "two").log,)
        assert await store.tasks.logs(task, 1) == (open_log(second, "ONE").log,)
        assert [(sid, log.closed) async for sid, log in store.tasks.every_log(task)] == [(0, False), (1, False)]

    async def test_the_last_log_of_a_run_takes_its_place(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        claims = await claim_step(store, task, PREPARE)
        await store.tasks.note_logs([open_log(claim, "so far") for claim in claims])
        await settle(store, task, PREPARE, succeeded(claims))
        for series_id in range(3):
            assert await store.tasks.logs(task, series_id) == (run_log(1, "well"),)

    async def test_nothing_but_logs_is_changed(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        claims = await claim_step(store, task, PREPARE)
        before = (await head(store, task), await store.tasks.subtasks(task), await keeper.events(task.id))
        await store.tasks.note_logs([open_log(claim, "so far") for claim in claims])
        await store.tasks.note_logs([])
        assert (await head(store, task), await store.tasks.subtasks(task), await keeper.events(task.id)) == before
        assert await store.tasks.stands(claims[0])

    async def test_without_a_claim_that_stands_nothing_is_noted(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        first, second, _ = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, failed([first]))
        forged = ClaimKey(task.id, second.series_id, second.token + 50)
        late = [
            open_log(first, "late"),
            OpenLog(forged, run_log(1, "forged")),
            OpenLog(ClaimKey(task.id, 5, 1), run_log(1, "of a subtask that nobody claimed")),
            OpenLog(ClaimKey(task.id, 999, 1), run_log(1, "of a subtask that is not there")),
            OpenLog(ClaimKey(task.id + 50, 0, 1), run_log(1, "of a task that is not there")),
        ]
        await store.tasks.note_logs(late)
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"),)
        assert [sid async for sid, _ in store.tasks.every_log(task)] == [0]
        await store.tasks.change_course(task, Course.RETRY, NOW, 0)
        (again,) = await claim_step(store, task, PREPARE)
        await store.tasks.note_logs([open_log(first, "later still"), open_log(again, "again")])
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"), open_log(again, "again").log)

    async def test_runs_of_many_tasks_are_noted_together(self, keeper: Keeper) -> None:
        store = keeper.open()
        many = await store.tasks.create(draft(range(1, 151)))
        few = [await store.tasks.create(draft((host_id, 9))) for host_id in range(1, 11)]
        claims = [claim for task in (*few[:5], many, *few[5:]) for claim in await claim_step(store, task, PREPARE)]
        mixed = sorted(claims, key=lambda claim: claim.series_id)
        assert len(mixed) <= CHUNK
        await store.tasks.note_logs([open_log(claim, f"{claim.task_id}:{claim.series_id}") for claim in mixed])
        for task in (many, *few):
            noted = {sid: log.lines[0].text async for sid, log in store.tasks.every_log(task)}
            assert noted == {sid: f"{task.id}:{sid}" for sid in range(task.host_count)}

    async def test_a_run_that_is_being_cancelled_is_noted_and_its_log_stays(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, ALIVE)
        task = await store.tasks.create(draft())
        first, second, third = await claim_step(store, task, PREPARE, worker=worker)
        await store.tasks.cancel(task, NOW, second.series_id)
        await store.tasks.note_logs([open_log(claim, "so far") for claim in (first, second, third)])
        assert await store.tasks.logs(task, 1) == (open_log(second, "so far").log,)
        await advance(store, task, PREPARE, failed([second]), worker=worker)
        assert await store.tasks.logs(task, 1) == (run_log(1, "badly"),)
        await store.workers.leave(worker)
        await store.tasks.cancel(task, NOW, third.series_id)
        await store.tasks.note_logs([open_log(third, "so far", "too late")])
        assert await store.tasks.logs(task, 2) == (open_log(third, "so far").log,), "what a lost worker left"
        await check_counts(store, task.id)

    async def test_a_skip_leaves_the_log_of_what_it_skipped(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, ALIVE)
        task = await store.tasks.create(draft((1, 2)))
        first, _ = await claim_step(store, task, PREPARE, worker=worker)
        await settle(store, task, PREPARE, failed([first]))
        await store.tasks.change_course(task, Course.SKIP, NOW, 0)
        (skip,) = await claim_step(store, task, PREPARE, worker=worker)
        assert skip.operation is Operation.SKIP
        await store.tasks.note_logs([open_log(skip, "skipping")])
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"), open_log(skip, "skipping").log)
        await store.tasks.cancel(task, NOW, 0)
        await advance(store, task, PREPARE, failed([skip]), worker=worker)
        record = await store.tasks.subtask(task, 0)
        assert record is not None
        assert (record.status, record.operation) == (Status.FAILED, Operation.CANCEL)
        assert await store.tasks.logs(task, 0) == (run_log(1, "badly"), run_log(1, "badly"))

    async def test_what_is_undone_is_noted_beside_what_was_done(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        first, second = await claim_step(store, task, PREPARE)
        await settle(store, task, PREPARE, [*failed([first]), *succeeded([second])])
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        undoing = await claim_step(store, await head(store, task), PREPARE)
        await store.tasks.note_logs([open_log(claim, "undoing") for claim in undoing])
        done = {first.series_id: run_log(1, "badly"), second.series_id: run_log(1, "well")}
        for claim in undoing:
            assert claim.operation is Operation.ROLLBACK
            so_far = open_log(claim, "undoing").log
            assert await store.tasks.logs(task, claim.series_id) == (done[claim.series_id], so_far)

    async def test_the_log_of_a_task_that_is_over_goes_with_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1,)))
        (claim,) = await claim_step(store, task, PREPARE)
        await store.tasks.note_logs([open_log(claim, "so far")])
        await settle(store, task, PREPARE, succeeded([claim]))
        for step in range(1, 5):
            await pass_step(store, task, step)
        await store.tasks.note_logs([open_log(claim, "late")])
        assert await keeper.expires(task.id)
        assert await store.tasks.logs(task, 0) == (run_log(1, "well"),)
