"""Random histories of the record, legal and illegal moves mixed, done to two keepers at once.

Whatever is done to them, both say the same, no illegal move is ever recorded, the counts are those of the subtasks, and
a task holds as many hosts as name it as their holder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import strategies as st

from core.brake import Brake
from core.claim import HostClaim
from core.host import RUNNING, STOPPED, STOPPING, HostState
from core.record import PENDING, SubtaskRecord
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Settled, Succeeded, Undone
from infra.store.base import ClaimRequest, Course, Store, TaskQuery
from tests.support.keepers import RedisKeeper
from tests.support.records import FIRST, NOW, SECOND, check_counts, draft, entry, open_log, run_log

if TYPE_CHECKING:
    from core.claim import Claim
    from core.record import TaskRecord

HOSTS = (1, 2, 3, 2**53 + 1, 2**63 - 1)
"""All but the last are in the inventory."""

QUERIES = (
    TaskQuery(),
    TaskQuery(frozenset({TaskStatus.FAILED, TaskStatus.SUCCESSFUL}), creator="admin", limit=2, offset=1),
    TaskQuery(frozenset({TaskStatus.RUNNING}), frozenset({"batch_stop_agents"}), ascending=True, limit=1),
)

indices = st.integers(0, 5)
few = st.lists(indices, max_size=2).map(tuple)


@dataclass(frozen=True)
class Create:
    """Make a task; perhaps claim its first step and take its hosts at once."""

    hosts: tuple[int, ...]
    holding: bool = False


@dataclass(frozen=True)
class Withdraw:
    task: int


@dataclass(frozen=True)
class Advance:
    """Settle some of the claims ever given (stale ones and duplicates included), then claim."""

    task: int
    step: int
    settled: tuple[tuple[int, type[Settled]], ...]
    limit: int | None
    whole: bool
    own: int | None
    second_worker: bool


@dataclass(frozen=True)
class Drain:
    """Claim all of the newest open step and settle it, time after time; the last time one result badly, or none."""

    task: int
    times: int
    bad: bool


@dataclass(frozen=True)
class Take:
    """Take the hosts of the claims that stand, of some others beside them, and perhaps of a forged one."""

    task: int
    others: tuple[int, ...]
    forged: bool


@dataclass(frozen=True)
class GiveBack:
    """Give back the hosts of the claims that stand, and of some others beside them."""

    task: int
    others: tuple[int, ...]
    after: HostState | None


@dataclass(frozen=True)
class Turn:
    """One subtask, or all of a task, is asked to run again or to be skipped, whether or not it failed."""

    task: int
    which: int | None
    course: Course


@dataclass(frozen=True)
class Cancel:
    """A subtask, or all of a task, is to be cancelled, whether or not it runs; perhaps its worker beats."""

    task: int
    which: int | None
    beating: bool


@dataclass(frozen=True)
class Retake:
    """Take hosts again that were given back, of the claims that stand and of some others."""

    task: int
    others: tuple[int, ...]


@dataclass(frozen=True)
class Free:
    """An administrator frees a host from a task, whoever holds it."""

    task: int
    host: int
    state: HostState | None


@dataclass(frozen=True)
class Note:
    """What some of the runs of a task have done so far, whether or not they go on, and one of any task."""

    task: int
    which: tuple[int, ...]
    other: int


@dataclass(frozen=True)
class TakeAway:
    """Claims are taken from a worker, some that stand and some others; perhaps it is said to be lost."""

    task: int
    others: tuple[int, ...]
    lost: bool
    second_worker: bool


@dataclass(frozen=True)
class Bury:
    """The second worker is taken out of the record, where it has nothing left; it is granted nothing from then on."""


@dataclass(frozen=True)
class Pull:
    """The fleet's brake is put on, or taken off."""

    on: bool


@dataclass(frozen=True)
class Protect:
    """A host is protected, or its protection is lifted."""

    host: int
    on: bool


Action = (
    Create
    | Withdraw
    | Advance
    | Drain
    | Take
    | GiveBack
    | Turn
    | Cancel
    | Retake
    | Free
    | Note
    | TakeAway
    | Protect
    | Pull
    | Bury
)

actions = st.one_of(
    st.builds(Create, st.lists(st.sampled_from(HOSTS), min_size=1, max_size=4, unique=True).map(tuple), st.booleans()),
    st.builds(Withdraw, indices),
    st.builds(
        Advance,
        indices,
        st.integers(0, 4),
        st.lists(st.tuples(indices, st.sampled_from((Succeeded, Failed, Undone))), max_size=5).map(tuple),
        st.none() | st.integers(0, 4),
        st.booleans(),
        st.none() | indices,
        st.booleans(),
    ),
    st.builds(Drain, indices, st.integers(1, 5), st.booleans()),
    st.builds(Take, indices, few, st.sampled_from((False, False, True))),
    st.builds(GiveBack, indices, few, st.none() | st.sampled_from((STOPPED, RUNNING))),
    st.builds(Cancel, indices, st.none() | indices, st.booleans()),
    st.builds(Turn, indices, st.none() | indices, st.sampled_from(Course)),
    st.builds(Turn, indices, st.none(), st.just(Course.ROLLBACK)),
    st.builds(Note, indices, st.lists(indices, min_size=1, max_size=4).map(tuple), st.integers(0, 30)),
    st.builds(Retake, indices, few),
    st.builds(TakeAway, indices, few, st.booleans(), st.booleans()),
    st.builds(Protect, st.sampled_from(HOSTS), st.booleans()),
    st.builds(Pull, st.sampled_from((True, False, False))),
    st.builds(Bury),
    st.builds(Free, indices, st.sampled_from(HOSTS[:-1]), st.none() | st.just(STOPPED)),
)

LEGAL = {
    ("PENDING", "READY"),
    ("READY", "RUNNING"),
    ("READY", "FAILED"),
    ("RUNNING", "SUCCESSFUL"),
    ("RUNNING", "PENDING"),
    ("RUNNING", "FAILED"),
    ("RUNNING", "CANCELING"),
    ("RUNNING", "READY"),
    ("CANCELING", "FAILED"),
    ("FAILED", "READY"),
    ("SUCCESSFUL", "READY"),
}
"""Where a subtask may be after one call to the store, by where it was before."""
WAYS_BACK = {("RUNNING", "PENDING"), ("SUCCESSFUL", "READY")}
"""Those that only a rollback makes."""


@dataclass
class Pair:
    """Both records, and what was learnt of them on the way."""

    keepers: tuple[RedisKeeper, RedisKeeper]
    stores: tuple[Store, Store]
    tasks: list[TaskRecord] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    now: int = NOW
    stood: dict[tuple[int, int], SubtaskRecord] = field(default_factory=dict)
    """Where each subtask stood after the last call."""

    async def do(self, action: Action) -> None:
        self.now += 7
        if isinstance(action, Create):
            await self._create(action.hosts, holding=action.holding)
        elif isinstance(action, Pull):
            await self._pull(on=action.on)
        elif isinstance(action, Bury):
            await self._bury()
        elif isinstance(action, Protect):
            await self._protect(action.host, on=action.on)
        elif self.tasks:
            task = self._task(action.task)
            await self._do_to_subtasks(task, action)
            await self._do_to_hosts(task, action)
        await self.compare()

    async def _do_to_subtasks(self, task: TaskRecord, action: Action) -> None:
        match action:
            case Withdraw():
                first_answer, second_answer = [await store.tasks.withdraw(task.id) for store in self.stores]
                assert first_answer == second_answer
            case Advance():
                await self._advance(task, action)
            case Drain(_, times, bad):
                for left in reversed(range(times)):
                    await self._drain(task, bad=bad and not left)
            case Turn(_, which, course):
                await self._turn(task, which, course)
            case TakeAway():
                await self._take_away(task, action)
            case Cancel(_, which, beating):
                await self._cancel(task, which, beating=beating)
            case Note(_, which, other):
                await self._note(task, which, other)
            case _:
                pass

    async def _do_to_hosts(self, task: TaskRecord, action: Action) -> None:
        match action:
            case Take(_, others, forged):
                await self._take(await self._on_hosts(task, others), forged=forged)
            case GiveBack(_, others, after):
                await self._give_back(await self._on_hosts(task, others), after)
            case Retake(_, others):
                await self._retake(await self._on_hosts(task, others))
            case Free(_, host_id, state):
                await self._free(task, host_id, state)
            case _:
                pass

    async def _pull(self, *, on: bool) -> None:
        brake = Brake("admin", self.now, "a history")
        first, second = [await (store.brake.pull(brake) if on else store.brake.release()) for store in self.stores]
        assert first == second, (first, second)

    async def _bury(self) -> None:
        left = [await store.workers.claims(SECOND) for store in self.stores]
        lost = [await store.workers.condemn(SECOND, 0) for store in self.stores]
        assert lost[0] == lost[1], left
        buried = [await store.workers.bury(SECOND) for store in self.stores]
        assert buried[0] == buried[1], left
        assert buried[0] or left[0], "whoever has nothing left is buried"
        assert await self.stores[0].workers.beats() == await self.stores[1].workers.beats()

    async def _protect(self, host_id: int, *, on: bool) -> None:
        if on:
            first, second = [await store.hosts.protect((host_id,), self.now) for store in self.stores]
            assert first == second, (first, second)
        else:
            lifted, also = [await store.hosts.unprotect((host_id,), self.now) for store in self.stores]
            assert lifted == also

    def _task(self, index: int) -> TaskRecord:
        return self.tasks[index % len(self.tasks)]

    async def _create(self, hosts: tuple[int, ...], *, holding: bool) -> None:
        first, second = [await store.tasks.create(draft(hosts, self.now)) for store in self.stores]
        assert first == second, (first, second)
        self.tasks.append(first)
        await self.follow()
        if holding:
            await self._take(list(await self._both_advance(first, 0, [], ClaimRequest(10))), forged=False)

    async def _on_hosts(self, task: TaskRecord, others: tuple[int, ...]) -> list[HostClaim]:
        known = [claim for claim in self.claims if claim.task_id == task.id and isinstance(claim, HostClaim)]
        standing = [claim for claim in known if await self.stores[0].tasks.stands(claim)]
        return standing + [known[index % len(known)] for index in others if known]

    async def _advance(self, task: TaskRecord, action: Advance) -> None:
        mine = [claim for claim in reversed(self.claims) if claim.task_id == task.id]
        results = [_result(mine[index % len(mine)], kind) for index, kind in action.settled] if mine else []
        own = mine[action.own % len(mine)].token if mine and action.own is not None else None
        request = None if action.limit is None else ClaimRequest(action.limit, whole=action.whole, own=own)
        await self._both_advance(task, action.step, results, request, second=action.second_worker)

    async def _both_advance(
        self, task: TaskRecord, step: int, results: list[Settled], request: ClaimRequest | None, *, second: bool = False
    ) -> tuple[Claim, ...]:
        worker = SECOND if second else FIRST
        planned = task.plan.steps[step]
        first_answer, second_answer = [
            await store.tasks.advance(task, planned, worker, self.now, settled=results, claim=request)
            for store in self.stores
        ]
        assert first_answer == second_answer
        going_on = request is not None and request.whole and request.own is not None
        assert going_on or not first_answer[1].granted or await self.stores[0].brake.get() is None
        await self.follow()
        granted = first_answer[1].granted
        self.claims.extend(granted)
        return granted

    async def _drain(self, task: TaskRecord, *, bad: bool) -> None:
        head = await self.stores[0].tasks.head(task.id)
        if head is None:
            return
        claims = await self._both_advance(task, head.current, [], ClaimRequest(10))
        results = [
            _result(
                claim, Failed if bad and claim is claims[0] else Undone if claim.operation.is_rollback else Succeeded
            )
            for claim in claims
        ]
        await self._both_advance(task, head.current, results, None)

    async def _take(self, claims: list[HostClaim], *, forged: bool) -> None:
        if forged and claims:
            claims[-1] = replace(claims[-1], token=claims[-1].token + 1)
        if claims:
            first, second = [await store.tasks.take_hosts(claims, self.now, STOPPING) for store in self.stores]
            assert first == second, (first, second)

    async def _give_back(self, claims: list[HostClaim], after: HostState | None) -> None:
        if claims:
            first, second = [await store.tasks.give_back_hosts(claims, self.now, after) for store in self.stores]
            assert first == second, (first, second)

    async def _retake(self, claims: list[HostClaim]) -> None:
        if claims:
            first, second = [await store.tasks.retake_hosts(claims, self.now, STOPPING) for store in self.stores]
            assert first == second, (first, second)

    async def _free(self, task: TaskRecord, host_id: int, state: HostState | None) -> None:
        head = await self.stores[0].tasks.head(task.id) or task
        host_ids = await self.stores[0].tasks.host_ids(task.id)
        planned = head.plan.steps[head.current]
        series_id = planned.first + host_ids.index(host_id) if planned.step.per_host and host_id in host_ids else None
        host = (await self.stores[0].hosts.get((host_id,)))[host_id]
        first, second = [
            await store.tasks.release_host(host, head, series_id, self.now, state) for store in self.stores
        ]
        assert first == second, (first, second)

    async def _turn(self, task: TaskRecord, which: int | None, course: Course) -> None:
        stored = await self.stores[0].tasks.subtasks(task)
        bad = sorted(series_id for series_id, record in stored.items() if record.status == "FAILED")
        series_id = which if which is None or not bad else bad[which % len(bad)]
        if series_id is None:
            course = Course.RETRY if course is Course.SKIP else course
        elif series_id >= task.plan.size or course is Course.ROLLBACK:
            return
        first, second = [await store.tasks.change_course(task, course, self.now, series_id) for store in self.stores]
        assert first == second, (first, second)

    async def _take_away(self, task: TaskRecord, action: TakeAway) -> None:
        known = [claim for claim in self.claims if claim.task_id == task.id]
        claims = [claim.key for claim in known if await self.stores[0].tasks.stands(claim)][:3]
        claims += [known[index % len(known)].key for index in action.others if known]
        if not claims:
            return
        worker = SECOND if action.second_worker else FIRST
        lost = run_log(1, "lost") if action.lost else None
        first, second = [await store.tasks.reopen(task, worker, claims, self.now, lost=lost) for store in self.stores]
        assert first == second, (first, second)
        held = [[set(await store.workers.claims(one)) for one in (FIRST, SECOND)] for store in self.stores]
        assert held[0] == held[1], held

    async def _cancel(self, task: TaskRecord, which: int | None, *, beating: bool) -> None:
        if which is not None and which >= task.plan.size:
            return
        for store in self.stores:
            if beating:
                await store.workers.beat(FIRST, 600_000)
        first, second = [await store.tasks.cancel(task, self.now, which) for store in self.stores]
        assert first == second, (first, second)
        asked = [await store.workers.beat(FIRST, 600_000) for store in self.stores]
        assert asked[0] == asked[1]

    async def _note(self, task: TaskRecord, which: tuple[int, ...], other: int) -> None:
        mine = [claim for claim in reversed(self.claims) if claim.task_id == task.id]
        chosen = [mine[index % len(mine)] for index in which if mine]
        chosen += [self.claims[other % len(self.claims)]] if self.claims else []
        for store in self.stores:
            await store.tasks.note_logs([open_log(claim, f"at {self.now}") for claim in chosen])

    async def follow(self) -> None:
        """See that since the last look each subtask made one legal move at most, and that holds are what they seem."""
        memory, _ = self.stores
        holders = Counter(host.holder for host in (await memory.hosts.get(HOSTS)).values())
        for task in self.tasks:
            head = await memory.tasks.head(task.id)
            if head is None:
                continue
            for series_id, now in head.subtasks(await memory.tasks.subtasks(head)):
                was = self.stood.get((task.id, series_id), PENDING)
                move = was.status.value, now.status.value
                assert was.status is now.status or move in LEGAL, (series_id, was, now)
                assert move not in WAYS_BACK or head.is_rollback, (series_id, was, now)
                assert now.run_time in {was.run_time, was.run_time + 1}
                assert now.run_time == was.run_time or now.status is Status.READY
                assert not was.touched or now.touched
                self.stood[task.id, series_id] = now
            assert await self.keepers[0].held(task.id) == holders[task.id]

    async def compare(self) -> None:
        await self.follow()
        memory, redis = self.stores
        assert await memory.hosts.get(HOSTS) == await redis.hosts.get(HOSTS)
        assert not any(host.protected and host.holder for host in (await redis.hosts.get(HOSTS)).values())
        for query in QUERIES:
            assert await memory.tasks.page(query, self.now) == await redis.tasks.page(query, self.now)
        for claim in self.claims:
            assert await memory.tasks.stands(claim) == await redis.tasks.stands(claim)
        for task in self.tasks:
            await check_counts(memory, task.id)
            assert await memory.tasks.head(task.id) == await redis.tasks.head(task.id)
            assert await memory.tasks.host_ids(task.id) == await redis.tasks.host_ids(task.id)
            stored = await memory.tasks.subtasks(task)
            assert stored == await redis.tasks.subtasks(task)
            for series_id in stored:
                assert await memory.tasks.logs(task, series_id) == await redis.tasks.logs(task, series_id)
            assert await self.keepers[0].events(task.id) == await self.keepers[1].events(task.id)
            heard, read = [await store.tasks.events(task.id) for store in self.stores]
            assert [replace(event, id="") for event in heard] == [replace(event, id="") for event in read]


def _result(claim: Claim, kind: type[Settled]) -> Settled:
    if kind is Failed and claim.operation is Operation.SKIP:
        kind = Succeeded  # a skip does not fail
    text = "badly" if kind is Failed else "well"
    return kind(claim.series_id, claim.token, run_log(claim.run_time, text), touched=kind is Failed)


async def play(script: list[Action], redis: RedisKeeper) -> None:
    """Do a history to a record in a simulated Redis and to one in an empty Redis."""
    server = FakeServer()
    keepers = (RedisKeeper(lambda: FakeAsyncRedis(server=server, decode_responses=True)), redis)
    pair = Pair(keepers, (keepers[0].open(), keepers[1].open()))
    try:
        for store in pair.stores:
            await store.hosts.put(map(entry, HOSTS[:-1]), NOW)
            assert [await store.workers.enrol(worker.name) for worker in (FIRST, SECOND)] == [FIRST, SECOND]
        for action in [Create(HOSTS[:3], holding=True), *script]:
            await pair.do(action)
    finally:
        for keeper in keepers:
            await keeper.aclose()


histories = st.lists(actions, min_size=5, max_size=25)
