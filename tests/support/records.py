"""Requests, hosts, results and logs for tests of the record, and calls that check the record after every move."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.claim import Claim, Claims, Settlement, Worker
from core.host import Target
from core.journal import Level, Line, RunLog
from core.progress import compute_progress
from core.record import Creator, Draft, TaskRecord
from core.status import Operation
from core.task_types.batch_stop_agents import TASK_TYPE
from core.transition import Failed, Settled, Succeeded, Undone
from infra.store.host_values import HostEntry
from infra.store.task_values import ClaimRequest, OpenLog
from infra.store.values import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.store import Store

NOW = 1_790_000_000_000
"""When everything happens, unless a test says otherwise: milliseconds since the epoch."""

PREPARE, FIRST_WAIT, STOP, SECOND_WAIT, FINISH = range(5)

FIRST, SECOND = Worker(1, "worker-1"), Worker(2, "worker-2")


def draft(host_ids: Iterable[int] = (1, 2, 3), at: int = NOW) -> Draft:
    return Draft(TASK_TYPE, tuple(host_ids), Creator(100, "admin"), "10.0.0.1", "0123456789abcdef", at)


def entry(host_id: int, *, key: str | None = None, alias: str | None = None, address: str = "") -> HostEntry:
    target = Target(
        host_id=host_id,
        address=address or f"10.1.{host_id // 256 % 256}.{host_id % 256}",
        port=22,
        user="admin",
        agent_home="/home/admin/ocp_agent",
        agent_prefix="ocp",
        sudo=host_id % 2 == 0,
        host_key=key,
    )
    return HostEntry(target, alias)


def run_log(run_time: int = 1, *texts: str, executor: str = FIRST.name) -> RunLog:
    lines = (Line(NOW + at, Level.INFO, text) for at, text in enumerate(texts))
    return RunLog(Operation.EXECUTE if run_time == 1 else Operation.RETRY, run_time, executor, tuple(lines))


def open_log(claim: Claim, *texts: str) -> OpenLog:
    """Return what a claim's run has done so far."""
    lines = tuple(Line(NOW + at, Level.INFO, text) for at, text in enumerate(texts))
    return OpenLog(claim.key, RunLog(claim.operation, claim.run_time, FIRST.name, lines, closed=False))


def make_successes(claims: Iterable[Claim]) -> list[Settled]:
    return [Succeeded(claim.series_id, claim.token, run_log(claim.run_time, "well")) for claim in claims]


def make_failures(claims: Iterable[Claim]) -> list[Settled]:
    return [Failed(claim.series_id, claim.token, run_log(claim.run_time, "badly")) for claim in claims]


def make_undos(claims: Iterable[Claim]) -> list[Settled]:
    return [Undone(claim.series_id, claim.token, run_log(claim.run_time, "undone")) for claim in claims]


async def advance(  # the arguments of Tasks.advance, those that tests seldom care about last
    store: Store,
    task: TaskRecord,
    step: int,
    settled: Sequence[Settled] = (),
    claim: int | ClaimRequest | None = None,
    *,
    worker: Worker = FIRST,
    now: int = NOW,
) -> tuple[Settlement, Claims]:
    """Advance a task, then see that its counts say what its subtasks are."""
    request = ClaimRequest(claim) if isinstance(claim, int) else claim
    answer = await store.tasks.advance(task, task.plan.steps[step], worker, now, settled=settled, claim=request)
    await check_counts(store, task.id)
    return answer


async def check_counts(store: Store, task_id: int) -> None:
    """Check that a task's counts, and the progress folded from them, say what its subtasks are."""
    head = await store.tasks.head(task_id)
    if head is None:
        return
    stored = await store.tasks.subtasks(head)
    kept = Counter((head.plan.find_step(sid).index, one.status) for sid, one in stored.items())
    standing = Counter((head.plan.find_step(sid).index, one.status) for sid, one in head.derive_subtasks(stored))
    shown = {
        (index, status): count
        for index, step in enumerate(compute_progress(head))
        for status, count in step.by_status.items()
        if count
    }
    if (head.counts, shown) != (kept, standing) and await store.tasks.head(task_id) is None:
        return  # it expired between two looks
    assert head.counts == kept
    assert shown == standing


async def claim_step(store: Store, task: TaskRecord, step: int, *, worker: Worker = FIRST) -> list[Claim]:
    """Claim all of a step that can be claimed."""
    claims: list[Claim] = []
    while True:
        _, answer = await advance(store, task, step, claim=CHUNK, worker=worker)
        claims.extend(answer.granted)
        if len(answer.granted) < CHUNK:
            return claims


async def settle(store: Store, task: TaskRecord, step: int, results: Sequence[Settled], now: int = NOW) -> Settlement:
    """Record results and return the last chunk's answer."""
    answer: Settlement | None = None
    for start in range(0, len(results), CHUNK):
        answer, _ = await advance(store, task, step, results[start : start + CHUNK], now=now)
    assert answer is not None
    return answer


async def pass_step(store: Store, task: TaskRecord, step: int, now: int = NOW) -> Settlement:
    """Claim all of a step and record that all of it succeeded."""
    return await settle(store, task, step, make_successes(await claim_step(store, task, step)), now)


async def head(store: Store, task: TaskRecord) -> TaskRecord:
    found = await store.tasks.head(task.id)
    assert found is not None
    return found
