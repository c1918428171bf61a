"""A worker trusts its claims while it beats, and asks the record after a pause."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.store.task_values import ClaimRequest
from tests.support.work import make_task, make_work
from workers.record.heartbeat import ClaimLostError, Heartbeat

if TYPE_CHECKING:
    from core.claim import Claim
    from infra.store import Store


class ManualClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def make_claim() -> tuple[Store, Heartbeat, Claim, ManualClock]:
    work = await make_work()
    task = await make_task(work, [1])
    clock = ManualClock()
    heartbeat = Heartbeat(work.store, work.heartbeat.worker, every=2.0, alive_for=10.0, monotonic=clock)
    request = ClaimRequest(1)
    _, answer = await work.store.tasks.advance(task, task.plan.steps[0], heartbeat.worker, 1, claim=request)
    return work.store, heartbeat, answer.granted[0], clock


async def test_while_it_beats_a_worker_trusts_its_claims_without_asking() -> None:
    _, heartbeat, claim, clock = await make_claim()
    clock.now += 3.9
    await heartbeat.require_claim(replace(claim, token=999))


async def test_after_a_pause_a_worker_asks_the_record() -> None:
    _, heartbeat, claim, clock = await make_claim()
    clock.now += 4.1
    await heartbeat.require_claim(claim)
    with pytest.raises(ClaimLostError):
        await heartbeat.require_claim(replace(claim, token=999))


async def test_a_worker_that_is_frozen_after_it_asked_may_not_send() -> None:
    _, heartbeat, claim, clock = await make_claim()
    assert heartbeat.may_send()
    clock.now += 4.1
    assert not heartbeat.may_send()
    await heartbeat.require_claim(claim)
    assert heartbeat.may_send(), "so that it does not ask for ever where only its beats fail"
    clock.now += 4.1
    assert not heartbeat.may_send()


async def test_a_beat_ends_the_pause() -> None:
    _, heartbeat, claim, clock = await make_claim()
    clock.now += 60
    await heartbeat.beat()
    await heartbeat.require_claim(replace(claim, token=999))


async def test_after_an_outage_a_worker_asks_the_record_until_it_beats_again() -> None:
    _, heartbeat, claim, _ = await make_claim()
    await heartbeat.beat()
    heartbeat.distrust_claims()
    with pytest.raises(ClaimLostError):
        await heartbeat.require_claim(replace(claim, token=999))
    await heartbeat.beat()
    await heartbeat.require_claim(replace(claim, token=999))


async def test_after_an_outage_runs_whose_claims_the_record_forgot_are_cancelled() -> None:
    _, heartbeat, claim, _ = await make_claim()
    forgotten = replace(claim, token=999)
    runs = {one: asyncio.create_task(_run(heartbeat, one)) for one in (claim, forgotten)}
    await asyncio.sleep(0)
    await heartbeat.beat()
    await asyncio.sleep(0)
    assert not any(run.done() for run in runs.values()), "nothing gave cause for doubt"

    heartbeat.distrust_claims()
    await heartbeat.beat()

    with pytest.raises(asyncio.CancelledError):
        await runs[forgotten]
    assert heartbeat.runs.pop_cancelled(forgotten)
    assert not runs[claim].done()
    runs[claim].cancel()


async def _run(heartbeat: Heartbeat, claim: Claim) -> None:
    with heartbeat.runs.track(claim):
        await asyncio.Event().wait()


async def test_a_worker_that_the_record_has_forgotten_enrols_anew() -> None:
    work = await make_work()
    store, heartbeat = work.store, work.heartbeat
    before = heartbeat.worker
    assert await store.workers.bury(before)
    await heartbeat.beat()
    assert heartbeat.worker.id != before.id
    assert heartbeat.worker.name == before.name
    await heartbeat.beat()
    assert heartbeat.worker in await store.workers.alive()
