"""A worker does each errand once, within the time that is left, and always answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from core.agent import AgentInspection
from core.errand import Errand, ErrandFailed, ErrandKind
from core.errors import StoreUnavailable
from core.lease import Lease, Leased
from infra.store.host_values import HostEntry
from tests.support.fake_store import FakeStore
from tests.support.work import make_target, make_work
from workers.errands import run_errand
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from core.errand import ClaimedErrand, ErrandAnswer
    from core.host import Target
    from workers.context import WorkerContext
    from workers.executor.base import HostSession

LOOK = Errand("e1", ErrandKind.LOOK, 7, None, "0" * 16)
STOP = Errand("e2", ErrandKind.STOP, 7, "monagent", "0" * 16)


async def make_errand_work(behaviour: Behaviour = Behaviour.HEALTHY) -> WorkerContext:
    work = await make_work(FakeStore(), StubExecutor(behaviours={7: behaviour}))
    await work.store.hosts.put([HostEntry(make_target(7), None)], 0)
    return work


async def do_errand(work: WorkerContext, errand: Errand) -> ErrandAnswer | None:
    await work.store.errands.put(errand, 60_000)
    await run_errand(work, errand.id)
    return await work.store.errands.wait(errand.id, 10)


def claim_late(work: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker claim errands when 100 ms of their time are left."""
    claim = work.store.errands.claim

    async def claim_with_little_left(errand_id: str) -> ClaimedErrand | None:
        claimed = await claim(errand_id)
        return claimed and replace(claimed, left=100)

    monkeypatch.setattr(work.store.errands, "claim", claim_with_little_left)


async def test_a_look() -> None:
    work = await make_errand_work()
    found = await do_errand(work, LOOK)
    assert isinstance(found, AgentInspection)
    assert [process.is_running for process in found.processes] == [True] * 3
    assert (found.version, found.installed) == ("4.2.2-stub", True)


async def test_a_second_copy_of_the_message_finds_nothing_to_do() -> None:
    work = await make_errand_work()
    await work.store.errands.put(STOP, 60_000)
    await asyncio.gather(*(run_errand(work, STOP.id) for _ in range(5)))
    assert isinstance(work.executor, StubExecutor)
    assert work.executor.count_commands(7)["service stop"] == 1
    await run_errand(work, "e3")


async def test_the_lease_is_given_back_before_the_answer() -> None:
    work = await make_errand_work()
    await work.store.hosts.lease((7,), Lease(STOP.id, STOP.purpose, 60_000))
    assert isinstance(await do_errand(work, STOP), AgentInspection)
    assert await work.store.hosts.lease((7,), Lease("other", "to test", 1000)) == Leased()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (Behaviour.UNREACHABLE, "Unreachable: 10.0.0.1:22: Connection refused."),
        (Behaviour.WEDGED, "Timed out: 0.08 s ran out while working on host 7 to stop process monagent of its agent."),
        (Behaviour.LOST, "Unreachable: 10.0.0.1:22: connection lost while running a command."),
    ],
)
async def test_a_failure_on_the_host_is_an_answer_too(
    behaviour: Behaviour, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = await make_errand_work(behaviour)
    await work.store.hosts.lease((7,), Lease(STOP.id, STOP.purpose, 60_000))
    claim_late(work, monkeypatch)
    answer = await do_errand(work, STOP)
    assert isinstance(answer, ErrandFailed)
    assert answer.sentence.startswith(said)
    assert not answer.refused
    assert await work.store.hosts.lease((7,), Lease("other", "to test", 1000)) == Leased()


async def test_a_host_that_was_deleted_meanwhile() -> None:
    work = await make_errand_work()
    await work.store.hosts.remove((7,))
    answer = await do_errand(work, LOOK)
    assert isinstance(answer, ErrandFailed)
    assert answer.sentence.startswith("Gone: host 7 is no longer in the inventory.")


async def test_a_process_that_was_frozen_past_its_limit_sends_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    work = await make_errand_work()
    claim_late(work, monkeypatch)
    hosts = work.executor
    assert isinstance(hosts, StubExecutor)
    frozen = Freezing(hosts, 0.2)
    answer = await do_errand(replace(work, executor=frozen), STOP)
    assert isinstance(answer, ErrandFailed)
    assert answer.sentence.startswith("Timed out: ")
    assert hosts.count_commands(7).total() == 0


@dataclass
class Freezing:
    """Reaches hosts as the stub does, but the whole process is frozen on the way."""

    stub: StubExecutor
    seconds: float

    def connect(self, target: Target) -> AbstractAsyncContextManager[HostSession]:
        time.sleep(self.seconds)
        return self.stub.connect(target)

    async def aclose(self) -> None:
        await self.stub.aclose()


async def test_a_bug_of_ours_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    work = await make_errand_work()

    def broken(_target: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(work.executor, "connect", broken)
    answer = await do_errand(work, LOOK)
    assert isinstance(answer, ErrandFailed)
    assert answer.sentence.startswith("Internal error: RuntimeError: oh.")


async def test_a_store_that_is_away_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    work = await make_errand_work()

    async def away(_errand_id: str) -> None:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(work.store.errands, "claim", away)
    await run_errand(work, LOOK.id)
