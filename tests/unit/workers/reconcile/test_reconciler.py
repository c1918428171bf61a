"""The work goes on by itself after the loss of any worker, message or API process."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from typing_extensions import override

from core.claim import Claims, ClaimVerdict
from core.errors import BrokerUnavailable, StoreUnavailable
from core.record import RECORD_VERSION
from core.status import Operation, Status, TaskStatus
from infra.dispatch import Dispatcher
from infra.store import keys
from infra.store.task_values import ClaimRequest, Course
from infra.store.values import CHUNK
from tests.support.failing import FailingPart, FailingStore
from tests.support.fake_store import FakeStore, break_after_scripts, let_pass, make_newer
from tests.support.records import advance, claim_step, make_failures, make_successes, run_log, settle
from tests.support.waiting import eventually
from tests.support.work import GatedExecutor, make_prepared_task, make_task, make_work, run_lane, send_step
from workers.messages import StepResult
from workers.reconcile.reconciler import Reconciler
from workers.reconcile.timing import ReconcileTiming
from workers.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.claim import Worker
    from core.errand import Errand
    from core.record import TaskRecord
    from workers.context import WorkerContext
    from workers.executor.base import Executor

STOP = 2


@dataclass
class Desk(Dispatcher):
    """Remembers what was published; `queued` messages wait."""

    published: list[tuple[int, int, bool]] = field(default_factory=list)
    queued: int = 0

    @override
    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        self.published.append((task.id, step, backwards))

    @override
    async def send(self, errand: Errand) -> None:
        raise NotImplementedError

    @override
    async def count_waiting(self) -> int:
        return self.queued

    @override
    async def ping(self) -> None:
        raise NotImplementedError


@dataclass
class Watch:
    """A reconciler, its clock, and what it publishes. `pass_by` lets time pass and runs a round every second."""

    work: WorkerContext
    desk: Desk
    reconciler: Reconciler
    now: float = 0.0

    async def pass_by(self, seconds: float, *beating: Worker) -> None:
        for _ in range(int(seconds)):
            self.now += 1
            for worker in (self.work.heartbeat.worker, *beating):
                await self.work.store.workers.beat(worker, 60_000)
            await self.reconciler.run_once()

    async def without_store(self, seconds: float) -> None:
        """Let time pass in which the store is away: no worker beats, and every round fails."""
        workers = self.work.store.workers
        with patch.object(workers, "beats", FailingPart(workers, "beats").beats):
            for _ in range(int(seconds)):
                self.now += 1
                with pytest.raises(StoreUnavailable):
                    await self.reconciler.run_once()


async def make_watch(
    executor: Executor | None = None, store: FakeStore | None = None, desk: Desk | None = None
) -> Watch:
    work = await make_work(store, executor)
    desk = desk or Desk()
    watch = Watch(work, desk, Reconciler(work, desk, ReconcileTiming(every=1.0)))
    watch.reconciler.monotonic = lambda: watch.now
    return watch


async def claim_as_another(watch: Watch, task: TaskRecord, index: int, count: int = CHUNK) -> Worker:
    """Have another worker claim some subtasks of a step; it beats once and then disappears."""
    other = await watch.work.store.workers.enrol("worker-2@test")
    await watch.work.store.workers.beat(other, 60_000)
    await watch.work.store.tasks.advance(task, task.plan.steps[index], other, 5, claim=ClaimRequest(count))
    return other


async def read_statuses(work: WorkerContext, task: TaskRecord, index: int) -> list[Status]:
    head = await work.store.tasks.head(task.id)
    assert head is not None
    stored = await work.store.tasks.subtasks(head)
    return [record.status for _, record in head.derive_step(head.plan.steps[index], stored)]


async def test_claims_of_a_lost_worker_run_again_as_the_same_run() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2, 3])
    lost = await claim_as_another(watch, task, STOP, 2)

    await watch.pass_by(15)
    assert watch.desk.published == []
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING, Status.RUNNING, Status.READY]
    await watch.pass_by(2)

    assert watch.desk.published == [(task.id, STOP, False)]
    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 3
    assert lost not in await watch.work.store.workers.beats()
    assert await run_lane(watch.work, task) == (3, False)
    records = await watch.work.store.tasks.subtasks(task)
    assert {(one.run_time, one.operation) for one in records.values()} == {(1, Operation.EXECUTE)}


async def test_a_worker_is_given_nothing_while_it_is_buried(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2, 3])
    lost = await claim_as_another(watch, task, STOP, 2)
    tasks, planned = watch.work.store.tasks, task.plan.steps[STOP]
    reopen, given = tasks.reopen, []

    async def claim_meanwhile(of: TaskRecord, worker: Worker, *words: Any, **more: Any) -> Any:
        answer = await reopen(of, worker, *words, **more)
        given.append(await tasks.advance(task, planned, worker, 6, claim=ClaimRequest(1)))
        return answer

    monkeypatch.setattr(tasks, "reopen", claim_meanwhile)
    await watch.pass_by(17)
    assert [claims.granted for _, claims in given] == [()]
    assert lost not in await watch.work.store.workers.beats()
    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 3


async def test_a_worker_that_beats_in_the_last_moment_keeps_its_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    other = await claim_as_another(watch, task, STOP)
    workers = watch.work.store.workers
    lead = workers.lead

    async def beat_meanwhile(
        worker: Worker, lapses: int, version: int = RECORD_VERSION, lost: Sequence[Worker] = ()
    ) -> bool:
        if lost:
            await workers.beat(other, 60_000)
        return await lead(worker, lapses, version, lost)

    monkeypatch.setattr(workers, "lead", beat_meanwhile)
    await watch.pass_by(17)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING] * 2
    assert (await workers.beat(other, 60_000)).known
    assert watch.desk.published == []


async def test_the_next_leader_finishes_a_burial_that_broke_off() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    lost = await claim_as_another(watch, task, STOP)
    assert await watch.work.store.workers.condemn(lost, 1)

    await watch.pass_by(5)  # the grace

    assert lost not in await watch.work.store.workers.beats()
    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 2


async def test_a_worker_that_beats_keeps_its_claims() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    other = await claim_as_another(watch, task, STOP)
    await watch.pass_by(60, other)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING] * 2
    assert watch.desk.published == []


@pytest.mark.parametrize("frozen", [True, False])
async def test_time_in_which_nobody_could_look_does_not_count(*, frozen: bool) -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    await claim_as_another(watch, task, STOP)
    await watch.pass_by(10)
    if frozen:
        watch.now += 100
    else:
        await watch.without_store(100)
    await watch.pass_by(6)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING], "14 seconds were watched"

    await watch.pass_by(1)

    assert await read_statuses(watch.work, task, STOP) == [Status.READY], "what was seen before counts"


async def test_once_the_store_is_back_a_worker_gets_time_to_beat() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    slow = await claim_as_another(watch, task, STOP, 1)
    await watch.pass_by(15)
    await watch.without_store(30)
    await watch.pass_by(4)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING, Status.READY], "its time would be over"
    await watch.pass_by(1, slow)
    await watch.without_store(30)
    await watch.pass_by(15)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING, Status.READY], "it has beaten"
    await watch.pass_by(1)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 2


async def test_a_lost_worker_is_found_however_often_the_store_is_killed() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    other = await watch.work.store.workers.enrol("worker-3@test")
    await claim_as_another(watch, task, STOP, 1)
    _, kept = await watch.work.store.tasks.advance(task, task.plan.steps[STOP], other, 5, claim=ClaimRequest(1))
    for _ in range(2):
        await watch.pass_by(6, other)
        await watch.without_store(4)
    await watch.pass_by(5, other)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING] * 2
    await watch.pass_by(1, other)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY, Status.RUNNING]
    for _ in range(20):
        await watch.without_store(8)
        await watch.pass_by(1)
        await watch.pass_by(1, other)
    assert await watch.work.store.workers.claims(other) == (kept.granted[0].key,), "it beats whenever it can"


async def test_lost_answers_and_messages_are_repaired_however_often_the_store_is_killed() -> None:
    watch = await make_watch()
    task, waiting = await make_prepared_task(watch.work, [1]), await make_task(watch.work, [2])
    worker = watch.work.heartbeat.worker
    await watch.work.store.tasks.advance(task, task.plan.steps[STOP], worker, 5, claim=ClaimRequest(1))
    for _ in range(5):
        await watch.pass_by(4)
        await watch.without_store(4)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY]
    assert {(task.id, STOP, False), (waiting.id, 0, False)} <= set(watch.desk.published)


async def test_lost_workers_are_found_while_the_broker_is_away() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    await make_task(watch.work, [2])
    await claim_as_another(watch, task, STOP)

    class Away(Desk):
        @override
        async def count_waiting(self) -> int:
            raise BrokerUnavailable("The broker does not answer.")

        @override
        async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
            raise BrokerUnavailable("The broker does not answer.")

    watch.reconciler.dispatcher = Away()
    for _ in range(20):
        with suppress(BrokerUnavailable):
            await watch.pass_by(1)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY]

    watch.reconciler.dispatcher = watch.desk
    await watch.pass_by(10)
    assert (task.id, STOP, False) in watch.desk.published


async def test_only_one_worker_reconciles_at_a_time() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    await claim_as_another(watch, task, STOP)
    leader = await watch.work.store.workers.enrol("leader@test")
    for _ in range(30):
        assert await watch.work.store.workers.lead(leader, 60_000)
        await watch.pass_by(1, leader)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING]


async def test_a_leader_of_an_older_version_does_not_keep_a_newer_one_from_leading() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    await claim_as_another(watch, task, STOP)
    older = await watch.work.store.workers.enrol("older@test")
    for _ in range(18):
        assert await watch.work.store.workers.lead(older, 60_000, version=RECORD_VERSION - 1)
        await watch.pass_by(1, older)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY]


async def test_a_task_of_a_newer_version_is_left_to_newer_workers() -> None:
    store = FakeStore()
    watch = await make_watch(store=store)
    lost_run, unclaimed = await make_prepared_task(watch.work, [1]), await make_task(watch.work, [2])
    lost = await claim_as_another(watch, lost_run, STOP)
    for task in (lost_run, unclaimed):
        await make_newer(store, task.id)

    await watch.pass_by(120)

    assert watch.desk.published == []
    assert await read_statuses(watch.work, lost_run, STOP) == [Status.RUNNING]
    assert await store.workers.claims(lost), "who knows the task will want to know"


async def test_a_lost_run_that_was_being_cancelled_is_cancelled() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    await claim_as_another(watch, task, STOP)
    first = task.plan.steps[STOP].first
    assert await watch.work.store.tasks.cancel(task, 9, first) is True
    await watch.pass_by(17)
    assert await read_statuses(watch.work, task, STOP) == [Status.FAILED, Status.READY]
    record = await watch.work.store.tasks.subtask(task, first)
    assert record is not None
    assert (record.operation, record.touched) == (Operation.CANCEL, True)


@pytest.mark.parametrize("index", [0, 1, 3, 4])
async def test_a_lost_message_is_sent_again_with_growing_pauses(index: int) -> None:
    watch = await make_watch()
    task = await make_task(watch.work, [1, 2])
    for before in range(index):
        if (await send_step(watch.work, task, before)).lanes:
            await run_lane(watch.work, task, before)

    await watch.pass_by(5)
    assert watch.desk.published == []
    watch.desk.queued = 1
    await watch.pass_by(20)
    assert watch.desk.published == [], "a message may be among those that wait"
    watch.desk.queued = 0
    await watch.pass_by(3)
    assert watch.desk.published == [(task.id, index, False)]
    await watch.pass_by(400)
    assert 5 < len(watch.desk.published) < 12
    assert set(watch.desk.published) == {(task.id, index, False)}


async def test_a_step_that_is_worked_on_is_not_published_again() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, range(1, 9))
    other = await claim_as_another(watch, task, STOP, 3)
    await watch.pass_by(100, other)
    assert watch.desk.published == []


async def test_a_rollback_goes_on_backwards() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    store = watch.work.store
    _, claims = await store.tasks.advance(
        task, task.plan.steps[STOP], watch.work.heartbeat.worker, 5, claim=ClaimRequest(2)
    )
    assert await store.tasks.cancel(task, 6) is True
    await store.tasks.reopen(
        task, watch.work.heartbeat.worker, [claim.key for claim in claims.granted], 7, lost=run_log(1, "lost")
    )
    assert await store.tasks.change_course(task, Course.ROLLBACK, 8) is not None
    await claim_as_another(watch, task, STOP, 1)
    await watch.pass_by(17)
    assert watch.desk.published == [(task.id, STOP, True)]


async def test_a_host_that_kills_its_workers_fails_and_its_neighbours_do_not() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, range(1, 6))
    first, poison = task.plan.steps[STOP].first, task.plan.steps[STOP].first + 2
    for losses in range(1, 6):
        other = await watch.work.store.workers.enrol(f"victim-{losses}@test")
        await watch.work.store.workers.beat(other, 60_000)
        while True:
            _, answer = await watch.work.store.tasks.advance(
                task, task.plan.steps[STOP], other, 5, claim=ClaimRequest(CHUNK)
            )
            mine = [claim for claim in answer.granted if claim.series_id == poison]
            assert losses <= 2 or len(answer.granted) <= 1, "a suspect has no other beside it"
            if mine:
                break
            await watch.work.store.tasks.advance(
                task, task.plan.steps[STOP], other, 6, settled=make_successes(answer.granted)
            )
        await watch.pass_by(17)
    record = await watch.work.store.tasks.subtask(task, poison)
    assert record is not None
    assert record.status is Status.FAILED
    log = (await watch.work.store.tasks.logs(task, poison))[-1]
    assert log.lines[-1].text.startswith("Workers lost: 5 workers died while they worked on this host")
    assert Status.FAILED not in [
        status for index, status in enumerate(await read_statuses(watch.work, task, STOP)) if first + index != poison
    ]


async def test_a_claim_whose_answer_was_lost_is_given_back() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    worker = watch.work.heartbeat.worker
    await watch.work.store.tasks.advance(task, task.plan.steps[STOP], worker, 5, claim=ClaimRequest(2))
    await watch.pass_by(12)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 2
    assert watch.desk.published == [(task.id, STOP, False)]
    assert await watch.work.store.workers.claims(worker) == ()


async def test_a_worker_that_does_not_lead_gives_back_claims_whose_answer_was_lost_too() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    leader = await watch.work.store.workers.enrol("leader@test")
    assert await watch.work.store.workers.lead(leader, 3_600_000)
    planned = task.plan.steps[STOP]
    await watch.work.store.tasks.advance(task, planned, watch.work.heartbeat.worker, 5, claim=ClaimRequest(CHUNK))

    await watch.pass_by(15, leader)

    assert await read_statuses(watch.work, task, STOP) == [Status.READY] * 2
    assert watch.desk.published == [(task.id, STOP, False)]


async def test_a_new_leader_already_knows_which_workers_do_not_beat() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    await claim_as_another(watch, task, STOP)
    leader = await watch.work.store.workers.enrol("leader@test")
    assert await watch.work.store.workers.lead(leader, 3_600_000)
    await watch.pass_by(16, leader)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING], "it is the leader's to say"
    assert isinstance(watch.work.store, FakeStore)
    await let_pass(watch.work.store, 3_600_000)  # its right lapses

    await watch.pass_by(1)

    assert await read_statuses(watch.work, task, STOP) == [Status.READY]


async def test_a_lost_leader_is_replaced_whatever_the_clock_of_the_store_says() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1])
    leader = await claim_as_another(watch, task, STOP)
    assert await watch.work.store.workers.lead(leader, 3_600_000)
    await watch.pass_by(15)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING]
    await watch.pass_by(1)
    assert await read_statuses(watch.work, task, STOP) == [Status.READY]


async def test_known_claims_are_not_given_back() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    watch = await make_watch(executor)
    task = await make_prepared_task(watch.work, [1])
    running = asyncio.create_task(run_lane(watch.work, task))
    await eventually(lambda: executor.inside == 1, 5, "the host to be in work")
    await watch.pass_by(60)
    assert await read_statuses(watch.work, task, STOP) == [Status.RUNNING]
    executor.held[1].set()
    assert await running == (3, False)
    assert not watch.work.heartbeat.known_claims


async def test_a_cancellation_that_broke_off_is_finished() -> None:
    watch = await make_watch()
    task = await make_prepared_task(watch.work, [1, 2])
    store = watch.work.store
    assert isinstance(store, FakeStore)
    await store.client.hset(keys.task(task.id), "cancelled", 1)
    await watch.pass_by(8)
    head = await store.tasks.head(task.id)
    assert head is not None
    assert head.status is TaskStatus.FAILED
    assert watch.desk.published == []


async def test_a_retry_of_many_subtasks_that_broke_off_is_finished() -> None:
    watch = await make_watch(store=(store := FakeStore()))
    task = await make_task(watch.work, range(1, CHUNK + 2))
    failed = make_failures(await claim_step(store, task, 0))
    ended = await settle(store, task, 0, failed)
    assert ended.task_status is TaskStatus.FAILED

    with break_after_scripts(store, 1), pytest.raises(StoreUnavailable):
        await store.tasks.change_course(task, Course.RETRY, watch.work.clock())

    head = await store.tasks.head(task.id)
    assert head is not None
    assert head.turning
    assert Counter(await read_statuses(watch.work, task, 0)) == {Status.READY: CHUNK, Status.FAILED: 1}
    _, answer = await advance(store, task, 0, claim=CHUNK)
    assert answer == Claims(ClaimVerdict.BUSY), "nobody claims half of a retry"

    await watch.pass_by(8)

    head = await store.tasks.head(task.id)
    assert head is not None
    assert not head.turning
    assert head.operation is Operation.RETRY
    records = (await store.tasks.subtasks(head)).values()
    assert {(one.status, one.operation, one.run_time) for one in records} == {(Status.READY, Operation.RETRY, 2)}
    assert len(records) == CHUNK + 1
    assert watch.desk.published == [(task.id, 0, False)]
    assert (await send_step(watch.work, task, 0)).opened == 1


async def test_hosts_in_flight_are_handed_over_when_the_process_must_end() -> None:
    executor = GatedExecutor(held={1: asyncio.Event(), 2: asyncio.Event()})
    draining: list[int] = []
    work = await make_work(executor=executor, max_lanes=1, lane_window=3, is_draining=lambda: bool(draining))
    task = await make_prepared_task(work, [1, 2, 3])
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 2 and len(executor.order) == 3, 5, "two hosts to be in work")

    draining.append(1)
    work.heartbeat.runs.hand_over_all()

    assert await running == (None, True)
    assert await read_statuses(work, task, STOP) == [Status.READY, Status.READY, Status.SUCCESSFUL]
    assert await work.store.workers.claims(work.heartbeat.worker) == ()
    for gate in executor.held.values():
        gate.set()
    draining.clear()
    assert await send_step(work, task, STOP) == StepResult(lanes=True)
    assert await run_lane(work, task) == (3, False)
    records = await work.store.tasks.subtasks(task)
    assert {one.run_time for one in records.values()} == {1}


async def test_a_process_that_was_taken_for_lost_abandons_all_its_hosts() -> None:
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor)
    task = await make_prepared_task(work, [1])
    running = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 1, 5, "the host to be in work")
    old = work.heartbeat.worker
    claims = await work.store.workers.claims(old)
    await work.store.tasks.reopen(task, old, claims, 9, lost=run_log(1, "lost"))
    await work.store.workers.bury(old)

    await work.heartbeat.beat()

    assert work.heartbeat.worker.id != old.id
    await eventually(lambda: len(executor.order) == 2, 5, "the host to be claimed anew")
    executor.held[1].set()
    assert await running == (3, False)
    assert executor.stub.count_commands(1)["stop"] == 1
    record = await work.store.tasks.subtask(task, task.plan.steps[STOP].first)
    assert record is not None
    assert (record.run_time, record.token) == (1, None)


async def test_the_reconciler_survives_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = await make_watch()
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(watch.reconciler, "run_once", look)
    watch.reconciler.timing = ReconcileTiming(every=0.001)
    going_on = asyncio.create_task(watch.reconciler.run_forever())
    await eventually(lambda: len(looks) > 3, 5, "more looks")
    going_on.cancel()


async def test_claims_whose_results_could_not_be_recorded_are_forgotten() -> None:
    store = FailingStore()
    work = await make_work(store)
    task = await make_prepared_task(work, [1])
    planned = task.plan.steps[STOP]
    recorder = Recorder(store, work.heartbeat, work.clock, patience=0)
    _, claims = await recorder.advance(task, planned, claim=ClaimRequest(1))
    assert work.heartbeat.known_claims == {claims.granted[0].key}

    store.broken_tasks = FailingPart(store.tasks, "advance")
    with pytest.raises(StoreUnavailable):
        await recorder.advance(task, planned, make_successes(claims.granted))

    assert not work.heartbeat.known_claims, "the reconciler gives it back"


async def test_the_first_publication_does_not_delay_the_others() -> None:
    class Filling(Desk):
        @override
        async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
            await super().submit(task, step, backwards=backwards)
            self.queued += 1

    watch = await make_watch(desk=Filling())
    tasks = [await make_task(watch.work, [host_id]) for host_id in (1, 2, 3)]
    await watch.pass_by(8)
    assert watch.desk.published == [(task.id, 0, False) for task in tasks]
