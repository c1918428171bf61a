"""The logs of open runs are written every few seconds, and nothing waits for that."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from core.errors import StoreUnavailable
from core.journal import OUTPUT_LIMIT, Journal
from core.status import Operation, Status
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK
from tests.support.fake_store import FakeStore
from tests.support.waiting import eventually
from tests.support.work import GatedExecutor, make_prepared_task, make_task, make_work, run_all_steps, run_lane
from workers.executor.base import Executor
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor
from workers.record.open_logs import MAX_ROUND_SIZE, WRITE_EVERY, OpenLogs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.claim import Claim
    from core.command import Command
    from core.host import Target
    from core.record import TaskRecord
    from infra.store.task_values import OpenLog
    from workers.context import WorkerContext
    from workers.executor.base import Completed, HostSession


@dataclass
class LogSpy:
    """The tasks of a store. It counts the logs of each call, and raises `fault` instead where that is set."""

    tasks: Any
    calls: list[int] = field(default_factory=list)
    fault: Exception | None = None
    hangs: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tasks, name)

    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        self.calls.append(len(logs))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault:
            raise self.fault
        await self.tasks.note_logs(logs)


@dataclass
class Bench:
    """Claims of one step that nobody works on, and a clock that a test moves."""

    work: WorkerContext
    task: TaskRecord
    claims: Sequence[Claim]
    noted: LogSpy
    now: float = 100.0

    def make_open_logs(self) -> OpenLogs:
        return OpenLogs(self.work.store, self.work.heartbeat, monotonic=lambda: self.now)

    async def read_texts(self, claim: Claim) -> list[list[str]]:
        """Return the lines of each run of the claim's subtask."""
        logs = await self.work.store.tasks.logs(self.task, claim.series_id)
        return [[line.text for line in log.lines] for log in logs]


def spy_on_logs(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> LogSpy:
    noted = LogSpy(store.tasks)
    monkeypatch.setattr(store, "_tasks", noted)
    return noted


async def bench(monkeypatch: pytest.MonkeyPatch, runs: int) -> Bench:
    store = FakeStore()
    noted = spy_on_logs(store, monkeypatch)
    work = await make_work(store)
    task = await make_task(work, range(1, runs + 1))
    worker = work.heartbeat.worker
    _, claims = await store.tasks.advance(task, task.plan.steps[0], worker, 1, claim=ClaimRequest(runs))
    return Bench(work, task, claims.granted, noted)


def make_journal(*texts: str) -> Journal:
    made = Journal(lambda: 7)
    for text in texts:
        made.add(text)
    return made


async def test_a_log_is_written_from_the_third_second_on_when_it_has_grown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = await bench(monkeypatch, 1)
    (claim,) = table.claims
    logs, told = table.make_open_logs(), make_journal("one")
    with logs.track(claim, told):
        table.now += WRITE_EVERY - 0.1
        await logs.write()
        assert table.noted.calls == []
        table.now += 0.1
        await logs.write()
        assert await table.read_texts(claim) == [["one"]]
        table.now += WRITE_EVERY
        await logs.write()
        assert table.noted.calls == [1], "nothing was added"
        told.add("two")
        table.now += 0.1
        await logs.write()
        assert await table.read_texts(claim) == [["one", "two"]]
        (log,) = await table.work.store.tasks.logs(table.task, claim.series_id)
        assert (log.closed, log.operation, log.run_time) == (False, Operation.EXECUTE, 1)
        assert log.executor == table.work.heartbeat.worker.name
        told.add("three")
    table.now += WRITE_EVERY
    await logs.write()
    assert table.noted.calls == [1, 1], "a run that is over is the recorder's"


async def test_no_call_writes_more_logs_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    table = await bench(monkeypatch, 2 * CHUNK + 5)
    logs = table.make_open_logs()
    with ExitStack() as runs:
        for claim in table.claims:
            runs.enter_context(logs.track(claim, make_journal("one of many")))
        table.now += WRITE_EVERY
        await logs.write()
    assert table.noted.calls == [CHUNK, CHUNK, 5]


async def test_long_journals_take_turns_and_one_that_fills_a_round_gets_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = await bench(monkeypatch, 4)
    logs = table.make_open_logs()
    told = [make_journal("x" * size) for size in (MAX_ROUND_SIZE // 2, MAX_ROUND_SIZE // 2, MAX_ROUND_SIZE * 2, 10)]
    rounds = []
    with ExitStack() as runs:
        for claim, one in zip(table.claims, told, strict=True):
            runs.enter_context(logs.track(claim, one))
            table.now += 0.01
        for _ in range(6):
            table.now += WRITE_EVERY
            before = [bool(await table.read_texts(claim)) for claim in table.claims]
            await logs.write()
            after = [bool(await table.read_texts(claim)) for claim in table.claims]
            rounds.append([index for index in range(4) if after[index] and not before[index]])
    assert rounds == [[0, 1], [2], [], [3], [], []]


async def test_a_store_that_is_away_misses_one_round_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.record.open_logs.WRITE_EVERY", 0.01)
    table = await bench(monkeypatch, 1)
    table.noted.fault = StoreUnavailable("The store does not answer.")
    logs = table.make_open_logs()
    with logs.track(table.claims[0], make_journal("one")):
        table.now += WRITE_EVERY
        writing = asyncio.create_task(logs.write_forever())
        await eventually(lambda: len(table.noted.calls) > 2, 5, "several notes to be lost")
        table.noted.fault = None
        await eventually(lambda: table.read_texts(table.claims[0]), 5, "a note to be taken")
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing


async def test_a_store_that_hangs_delays_neither_hosts_nor_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.record.open_logs.WRITE_EVERY", 0.01)
    executor = GatedExecutor(held={1: asyncio.Event()})
    store = FakeStore()
    noted = spy_on_logs(store, monkeypatch)
    noted.hangs = True
    work = await make_work(store, executor)
    task = await make_prepared_task(work, [1, 2])
    writing = asyncio.create_task(work.open_logs.write_forever())
    working = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: noted.calls, 5, "a note to hang")

    await work.heartbeat.beat()
    executor.held[1].set()
    assert await asyncio.wait_for(working, 5) == (3, False)

    assert noted.calls == [1]
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing


async def test_logs_of_short_runs_are_not_written_before_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    noted = spy_on_logs(store, monkeypatch)
    work = await make_work(store)
    task = await make_task(work, range(1, 51))
    working = asyncio.create_task(run_all_steps(work, task))
    while not working.done():
        await work.open_logs.write()
        await asyncio.sleep(0)
    assert noted.calls == []
    assert (await working).status == "SUCCESSFUL"


@dataclass
class Wedged(Executor):
    """Hosts with long output whose agents need more than their own stop. A signal ends when the test lets it."""

    ends: asyncio.Event = field(default_factory=asyncio.Event)
    said: str = "é" * OUTPUT_LIMIT

    stub: StubExecutor = field(default_factory=lambda: StubExecutor(behaviours={1: Behaviour.ORPHANS}))

    @override
    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[HostSession]:
        async with self.stub.connect(target) as session:
            yield _WedgedSession(self, session)

    @override
    async def aclose(self) -> None:
        await self.stub.aclose()


@dataclass
class _WedgedSession:
    host: Wedged
    session: HostSession

    async def run(self, command: Command, *, timeout: float) -> Completed:
        if "ocpfleet-signal" in command.words:
            await self.host.ends.wait()
        return replace(await self.session.run(command, timeout=timeout), stderr=self.host.said)


async def test_the_log_of_a_wedged_host_grows_and_is_complete_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.record.open_logs.WRITE_EVERY", 0.0)
    executor = Wedged()
    work = await make_work(executor=executor)
    task = await make_prepared_task(work, [1])
    stop = task.plan.steps[2].first
    working = asyncio.create_task(run_lane(work, task))

    async def commands() -> list[str]:
        await work.open_logs.write()
        return [
            line.text for log in await work.store.tasks.logs(task, stop) for line in log.lines if line.text[0] == "$"
        ]

    await eventually(commands, 5, "the stop to be told")
    await eventually(lambda: _two(commands), 5, "the signal to be told")
    (so_far,) = await work.store.tasks.logs(task, stop)
    assert not so_far.closed
    assert "ocpfleet-signal TERM" in so_far.lines[-1].text
    assert any("bytes left out" in line.text for line in so_far.lines), "a large output is clipped, and told"

    executor.ends.set()
    assert await working == (3, False)
    (whole,) = await work.store.tasks.logs(task, stop)
    assert whole.closed
    assert whole.lines[: len(so_far.lines)] == so_far.lines
    assert whole.lines[-1].text.startswith("Stopped: ")


async def _two(commands: Any) -> bool:
    return len(await commands()) == 2


async def test_the_log_of_a_cancelled_run_is_written_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.record.open_logs.WRITE_EVERY", 0.0)
    executor = GatedExecutor(held={1: asyncio.Event()})
    work = await make_work(executor=executor)
    await work.heartbeat.beat()
    task = await make_prepared_task(work, [1])
    stop = task.plan.steps[2].first
    working = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 1, 5, "the host to be in work")
    assert await work.store.tasks.cancel(task, work.clock(), stop) is True

    await work.open_logs.write()
    (log,) = await work.store.tasks.logs(task, stop)
    assert (log.closed, [line.text for line in log.lines]) == (False, ["Connecting to 10.0.0.1:22 as admin."])

    await work.heartbeat.beat()
    assert await working == (None, False)
    await work.open_logs.write()
    (log,) = await work.store.tasks.logs(task, stop)
    assert log.closed
    assert log.lines[0].text == "Connecting to 10.0.0.1:22 as admin."
    assert log.lines[-1].text.startswith("Cancelled: ")


async def test_a_lane_that_breaks_off_leaves_only_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.record.open_logs.WRITE_EVERY", 0.0)
    executor = GatedExecutor(held={1: asyncio.Event(), 2: asyncio.Event()})
    store = FakeStore()
    noted = spy_on_logs(store, monkeypatch)
    work = await make_work(store, executor, max_lanes=1)
    task = await make_prepared_task(work, [1, 2])
    working = asyncio.create_task(run_lane(work, task))
    await eventually(lambda: executor.inside == 2, 5, "the hosts to be in work")
    await work.open_logs.write()
    assert noted.calls == [2]

    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    await work.open_logs.write()
    assert noted.calls == [2]
    for series_id in task.plan.steps[2].series:
        record = await store.tasks.subtask(task, series_id)
        assert record is not None
        assert record.status is Status.RUNNING, "its worker is as good as lost"
        (log,) = await store.tasks.logs(task, series_id)
        assert not log.closed
