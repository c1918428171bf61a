"""The tasks in memory."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from core.claim import (
    NOTHING_SETTLED,
    Claim,
    ClaimKey,
    Claims,
    ClaimVerdict,
    GivenAway,
    HeldByOther,
    Missing,
    Protected,
    Reopened,
    Retaking,
    Settlement,
    StaleClaim,
    Taken,
    Taking,
    Worker,
)
from core.event import TaskEvent, cursor_order
from core.host import Host, HostState
from core.journal import RunLog
from core.lease import HostBusy
from core.plan import NO_PARALLEL_INDEX, Plan, PlannedStep
from core.record import RECORD_VERSION, Draft, SubtaskRecord, TaskRecord
from core.status import Operation, Status, TaskStatus
from core.transition import MOVES, CancelAsked, Settled
from infra.store.base import (
    Adding,
    AlreadyThere,
    ClaimRequest,
    Course,
    CourseChanged,
    CourseRefused,
    HostsAdded,
    KeyTaken,
    Known,
    NewHost,
    Once,
    OpenLog,
    Release,
    StoreOptions,
    TaskPage,
    TaskQuery,
    Tasks,
)
from infra.store.eventcodec import parse_event
from infra.store.memory.audit import MemoryAudit
from infra.store.memory.brake import MemoryBrake
from infra.store.memory.hosts import KeptHost, MemoryHosts
from infra.store.memory.task import EVENTS_KEPT, Event, KeptTask
from infra.store.memory.workers import MemoryWorkers

Changed = defaultdict[Status, list[int]]
"""By new status: the seriesIds of the subtasks that a batch changed."""


_WORKED_ON = frozenset({Status.RUNNING, Status.CANCELING})
_LOOK_EVERY = 0.01
"""Seconds between two looks of a follower."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The other parts of the record, as far as they change with the tasks."""

    hosts: MemoryHosts
    workers: MemoryWorkers
    brake: MemoryBrake
    audit: MemoryAudit


class MemoryTasks(Tasks):
    """The tasks of one fleet in this process."""

    def __init__(self, beside: Beside, options: StoreOptions, clock: Callable[[], int]) -> None:
        self._hosts = beside.hosts
        self._workers = beside.workers
        self._brake = beside.brake
        self._audit = beside.audit
        self._once: dict[tuple[int, str], tuple[int, str, int]] = {}
        self._options = options
        self._clock = clock
        self._kept: dict[int, KeptTask] = {}
        self._last_task = 0
        self._last_subtask = 0
        self._workers.task_exists = lambda task_id: self.find(task_id) is not None

    def find(self, task_id: int) -> KeptTask | None:
        """Return a task that has not expired, or None."""
        kept = self._kept.get(task_id)
        if kept is not None and kept.gone_at is not None and kept.gone_at <= self._clock():
            del self._kept[task_id]
            return None
        return kept

    def noted(self, task_id: int) -> tuple[Event, ...]:
        """Return what happened to a task, batch by batch, as long as its events are kept."""
        kept = self.find(task_id)
        if kept is None or (kept.events_gone_at is not None and kept.events_gone_at <= self._clock()):
            return ()
        return tuple(kept.events[-EVENTS_KEPT:])

    @override
    async def create(self, draft: Draft) -> TaskRecord:
        self._last_task += 1
        head = draft.accepted(self._last_task, self._last_subtask + 1)
        self._last_subtask += Plan(draft.task_type, len(draft.host_ids)).size
        opening = {"at": str(draft.at), "task": head.status.value, "opened": str(head.opened)}
        self._kept[head.id] = KeptTask(
            head,
            draft.host_ids,
            events=[opening],
            single_host=draft.host_ids[0] if draft.task_type.single_host else None,
        )
        if draft.entry is not None:
            await self._audit.append(replace(draft.entry, task_id=head.id))
        return head

    @override
    async def create_once(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken:
        name = draft.creator.id, once.key
        task_id, digest, until = self._once.get(name, (0, "", 0))
        kept = self.find(task_id)
        if kept is not None and self._clock() < until:
            return Known(kept.snapshot().as_accepted()) if digest == once.digest else KeyTaken()
        made = await self.create(draft)
        self._once[name] = made.id, once.digest, self._clock() + self._options.keep_once
        return made

    @override
    async def create_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding:
        name = draft.creator.id, once.key if once else ""
        first, digest, until = self._once.get(name, (0, "", 0))
        if once and self.find(first) and self._clock() < until:
            return self._known_with_hosts(range(first, first + len(hosts))) if digest == once.digest else KeyTaken()
        for index, new in enumerate(hosts):
            if same := self._hosts.same_as(new):
                return AlreadyThere(index, same[0], by_alias=same[1])
        host_ids = tuple(self._hosts.add(new, draft.at) for new in hosts)
        tasks = tuple([await self.create(draft.on((host_id,))) for host_id in host_ids])
        if once:
            self._once[name] = tasks[0].id, once.digest, self._clock() + self._options.keep_once
        return HostsAdded(tasks, host_ids, known=False)

    def _known_with_hosts(self, task_ids: range) -> HostsAdded:
        kept = [found for found in map(self.find, task_ids) if found]
        tasks = tuple(found.snapshot().as_accepted() for found in kept)
        return HostsAdded(tasks, tuple(found.host_ids[0] for found in kept), known=True)

    @override
    async def withdraw(self, task_id: int) -> bool:
        kept = self.find(task_id)
        if kept is not None and (kept.last_token or kept.subtasks):
            return False
        self._kept.pop(task_id, None)
        return True

    @override
    async def head(self, task_id: int) -> TaskRecord | None:
        kept = self.find(task_id)
        return kept.snapshot() if kept else None

    @override
    async def heads(self, task_ids: Sequence[int]) -> dict[int, TaskRecord]:
        found = ((task_id, self.find(task_id)) for task_id in task_ids)
        return {task_id: kept.snapshot() for task_id, kept in found if kept is not None}

    @override
    async def page(self, query: TaskQuery, now: int) -> TaskPage:
        every = (self.find(task_id) for task_id in sorted(self._kept, reverse=not query.ascending))
        passed = [kept for kept in every if kept is not None and _passes(query, kept)]
        shown = passed[query.offset : query.offset + query.limit]
        return TaskPage(tuple(kept.snapshot() for kept in shown), len(passed))

    @override
    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        kept, noted = self.find(task_id), self.noted(task_id)
        dropped = len(kept.events) - len(noted) if kept else 0
        return tuple(parse_event(f"{number}-0", event) for number, event in enumerate(noted, dropped + 1))

    @override
    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        end = asyncio.get_running_loop().time() + patience
        while True:
            found = {task_id: await self._after(task_id, cursor) for task_id, cursor in cursors.items()}
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or any(found.values()):
                return {task_id: events for task_id, events in found.items() if events}
            await asyncio.sleep(min(left, _LOOK_EVERY))

    async def _after(self, task_id: int, cursor: str) -> tuple[TaskEvent, ...]:
        known = cursor_order(cursor)
        return tuple(event for event in await self.events(task_id) if cursor_order(event.id) > known)

    @override
    async def host_ids(self, task_id: int) -> tuple[int, ...]:
        kept = self.find(task_id)
        return kept.host_ids if kept else ()

    @override
    async def subtasks(self, task: TaskRecord) -> dict[int, SubtaskRecord]:
        kept = self.find(task.id)
        return dict(kept.subtasks) if kept else {}

    @override
    async def many_subtasks(self, tasks: Sequence[TaskRecord]) -> dict[int, dict[int, SubtaskRecord]]:
        return {task.id: await self.subtasks(task) for task in tasks}

    @override
    async def every_log(self, task: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        kept = self.find(task.id)
        if kept is None:
            return
        for series_id in sorted(kept.logs):
            for run in kept.runs(series_id):
                yield series_id, run

    @override
    async def logs(self, task: TaskRecord, series_id: int) -> tuple[RunLog, ...]:
        kept = self.find(task.id)
        return kept.runs(series_id) if kept else ()

    @override
    async def advance(
        self,
        task: TaskRecord,
        step: PlannedStep,
        worker: Worker,
        now: int,
        *,
        settled: Sequence[Settled] = (),
        claim: ClaimRequest | None = None,
    ) -> tuple[Settlement, Claims]:
        kept = self.find(task.id)
        if kept is None:
            return _gone(settled), Claims(ClaimVerdict.GONE)
        changed: Changed = defaultdict(list)
        before = kept.head.status
        stale = tuple(self._settle(kept, step, worker, settled, now, changed))
        opened = kept.pass_barrier(step, now) if settled else None
        claims = self._claim(kept, step, worker, now, claim, changed)
        ended = kept.head.status is not before
        if changed:
            kept.note(now, step, changed, opened=opened, ended=ended)
        if ended:
            kept.retire(self._clock(), self._options.keep_tasks, self._options.keep_events)
        settlement = Settlement(opened, kept.head.status, stale) if settled else NOTHING_SETTLED
        return settlement, claims

    def _claim(  # noqa: PLR0913, PLR0917 - the second half of `advance`
        self,
        kept: KeptTask,
        step: PlannedStep,
        worker: Worker,
        now: int,
        request: ClaimRequest | None,
        changed: Changed,
    ) -> Claims:
        if request is None or not request.limit or self._workers.buried(worker):
            return Claims(ClaimVerdict.GRANTED)
        refusal = kept.refusal(step, request, braked=self._brake.on is not None)
        if refusal is not None:
            return Claims(refusal)
        granted, withheld = kept.claim(step, worker, now, request, self._workers.suspects)
        for series_id in granted:
            self._workers.runners[ClaimKey(kept.head.id, series_id, kept.subtasks[series_id].token or 0)] = worker.id
        if granted:
            changed[Status.RUNNING].extend(granted)
        suspect = self._workers.suspects.get(worker.id)
        claims = (self._granted(kept, step, one, suspect=suspect == (kept.head.id, one)) for one in granted)
        return Claims(ClaimVerdict.GRANTED, tuple(claims), withheld)

    def _granted(self, kept: KeptTask, step: PlannedStep, series_id: int, *, suspect: bool) -> Claim:
        record = kept.subtasks[series_id]
        index = step.parallel_index(series_id)
        host_id = None if index == NO_PARALLEL_INDEX else kept.host_ids[index]
        found = None if host_id is None else self._hosts.find(host_id)
        return Claim(
            task_id=kept.head.id,
            series_id=series_id,
            operation=record.operation,
            run_time=record.run_time,
            token=kept.last_token if record.token is None else record.token,
            host_id=host_id,
            target=found.host.target if found else None,
            held=found is not None and found.host.holder == kept.head.id,
            touched=record.touched,
            suspect=suspect,
        )

    @override
    async def subtask(self, task: TaskRecord, series_id: int) -> SubtaskRecord | None:
        kept = self.find(task.id)
        return kept.subtasks.get(series_id) if kept else None

    @override
    async def change_course(
        self, task: TaskRecord, course: Course, now: int, series_id: int | None = None
    ) -> CourseChanged | CourseRefused | None:
        kept = self.find(task.id)
        if kept is None or kept.head.version > RECORD_VERSION:
            return None
        failed = kept.failed()
        if series_id is None:
            if kept.head.status is not TaskStatus.FAILED:
                return CourseRefused(kept.head.status)
            if course is Course.RETRY and not kept.head.undoing:
                kept.head = replace(kept.head, operation=Operation.RETRY)
        elif series_id in failed:
            failed = [series_id]
        else:
            return CourseRefused(kept.standing(series_id))
        kept.change_course(failed, course, now)
        return CourseChanged(kept.head.current, kept.head.undoing)

    @override
    async def cancel(self, task: TaskRecord, now: int, series_id: int | None = None) -> CourseRefused | bool | None:
        kept = self.find(task.id)
        if kept is None or kept.head.version > RECORD_VERSION:
            return None
        refusal = _refusal_to_cancel(kept, series_id)
        if refusal is not None:
            return refusal
        step = kept.head.plan.steps[kept.head.current]
        changed: Changed = defaultdict(list)
        for running in kept.running(step) if series_id is None else [series_id]:
            self._cancel(kept, step, running, now, changed)
        if series_id is None:
            kept.cancelled = True
            changed[Status.FAILED].extend(kept.call_off(step, now))
        before = kept.head.status
        kept.pass_barrier(step, now)
        ended = kept.head.status is not before
        if any(changed.values()):
            kept.note(now, step, {to: ids for to, ids in changed.items() if ids}, ended=ended)
        if ended:
            kept.retire(self._clock(), self._options.keep_tasks, self._options.keep_events)
        return True

    def _settle(  # noqa: PLR0913, PLR0917 - the first half of `advance`
        self,
        kept: KeptTask,
        step: PlannedStep,
        worker: Worker,
        settled: Sequence[Settled],
        now: int,
        changed: Changed,
    ) -> Iterator[int]:
        """Record results and forget that their worker held the claims; yield the seriesIds of stale ones."""
        for result in settled:
            key = ClaimKey(kept.head.id, result.series_id, result.token)
            self._workers.drop(worker.id, key)
            record = kept.settle(step, result, now)
            if record is None:
                yield result.series_id
            else:
                self._workers.over(worker.id, key)
                changed[record.status].append(result.series_id)

    def _cancel(self, kept: KeptTask, step: PlannedStep, series_id: int, now: int, changed: Changed) -> None:
        """Ask the worker that holds a running subtask to let go; where it is not alive, the run is over."""
        record = kept.subtasks[series_id]
        key = ClaimKey(kept.head.id, series_id, record.token or 0)
        if self._workers.let_go(self._workers.runners.get(key, 0), key):
            kept.change(step, series_id, replace(record, status=MOVES[CancelAsked].to))
            changed[Status.CANCELING].append(series_id)
        else:
            self._workers.runners.pop(key, None)
            kept.lose(step, series_id, now)
            changed[Status.FAILED].append(series_id)

    @override
    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        for run in logs:
            kept = self.find(run.claim.task_id)
            if kept is not None:
                kept.note_log(run.claim.series_id, run.claim.token, run.log)

    @override
    async def reopen(
        self, task: TaskRecord, worker: Worker, claims: Sequence[ClaimKey], now: int, *, lost: RunLog | None
    ) -> Reopened:
        held = [claim for claim in claims if self._workers.runners.get(claim) == worker.id]
        for claim in held:
            self._workers.drop(worker.id, claim)
            self._workers.over(worker.id, claim)
        kept = self.find(task.id)
        if kept is None or kept.head.version > RECORD_VERSION:
            return Reopened()
        step = kept.head.plan.steps[kept.head.current]
        changed: Changed = defaultdict(list)
        for claim in held:
            status = kept.reopen(step, claim, now, lost if step.step.action.on_hosts else None)
            if status is not None:
                changed[status].append(claim.series_id)
        before = kept.head.status
        kept.pass_barrier(step, now)
        ended = kept.head.status is not before
        if changed:
            kept.note(now, step, changed, ended=ended)
        if ended:
            kept.retire(self._clock(), self._options.keep_tasks, self._options.keep_events)
        return Reopened(len(changed[Status.READY]), len(changed[Status.FAILED]))

    @override
    async def stands(self, claim: Claim) -> bool:
        kept = self.find(claim.task_id)
        return kept is not None and kept.stands(claim.series_id, claim.token)

    @override
    async def take_hosts(self, claims: Sequence[Claim], now: int, during: HostState) -> Taking:
        task_id = claims[0].task_id
        kept = self.find(task_id)
        wanted: list[KeptHost] = []
        for claim in claims:
            found = self._free_for(kept, claim)
            if not isinstance(found, KeptHost):
                return found
            wanted.append(found)
        if kept is not None:
            kept.held += sum(found.take(task_id, now, during) for found in wanted)
        return Taken()

    def _free_for(
        self, kept: KeptTask | None, claim: Claim
    ) -> KeptHost | HeldByOther | HostBusy | Protected | Missing | StaleClaim:
        host_id = _host_id(claim)
        if kept is None or not kept.stands(claim.series_id, claim.token):
            return StaleClaim(claim.series_id)
        found = self._hosts.find(host_id)
        if found is None:
            return Missing(host_id)
        if found.host.holder not in {None, claim.task_id}:
            return HeldByOther(host_id, found.host.holder or 0)
        if found.host.protected:
            return Protected(host_id)
        busy = self._hosts.busy(host_id) if found.host.holder is None else None
        return busy or found

    @override
    async def retake_hosts(self, claims: Sequence[Claim], now: int, during: HostState) -> tuple[Retaking, ...]:
        kept = self.find(claims[0].task_id)
        return tuple(self._retake(kept, claim, now, during) for claim in claims)

    def _retake(self, kept: KeptTask | None, claim: Claim, now: int, during: HostState) -> Retaking:
        host_id = _host_id(claim)
        found = self._hosts.find(host_id)
        if kept is None or found is None or not kept.stands(claim.series_id, claim.token):
            return GivenAway(host_id)
        if found.host.holder is not None:
            mine = found.host.holder == claim.task_id
            return Taken() if mine else HeldByOther(host_id, found.host.holder)
        if found.past is not None and found.past[0] == claim.task_id:
            obstacle = Protected(host_id) if found.host.protected else self._hosts.busy(host_id)
            if obstacle is not None:
                return obstacle
        if not found.retake(claim.task_id, now, during):
            return GivenAway(host_id)
        kept.held += 1
        return Taken()

    @override
    async def release_host(
        self, host: Host, task: TaskRecord | None, series_id: int | None, now: int, state: HostState | None
    ) -> Release:
        kept, found = self.find(host.holder or 0), self._hosts.find(host.target.host_id)
        if found is None or host.holder is None or found.host.holder != host.holder:
            return Release.MOVED
        if kept is not None and (task is None or kept.head.current != task.current):
            return Release.MOVED
        if kept is not None and series_id is not None and kept.standing(series_id) in _WORKED_ON:
            return Release.BUSY
        found.give_back(now, state)
        if kept is not None:
            kept.held -= 1
            if kept.head.status is not TaskStatus.RUNNING:
                kept.retire(self._clock(), self._options.keep_tasks, self._options.keep_events)
        return Release.FREED

    @override
    async def give_back_hosts(self, claims: Sequence[Claim], now: int, after: HostState | None) -> tuple[int, ...]:
        kept = self.find(claims[0].task_id)
        freed: list[int] = []
        for claim in claims:
            found = self._hosts.find(_host_id(claim))
            stands = kept is not None and kept.stands(claim.series_id, claim.token)
            if found is not None and stands and found.host.holder == claim.task_id:
                found.give_back(now, after, claim.task_id)
                freed.append(found.host.target.host_id)
        if kept is not None:
            kept.held -= len(freed)
        return tuple(freed)


def _passes(query: TaskQuery, kept: KeptTask) -> bool:
    head = kept.head
    return (
        (query.statuses is None or head.status in query.statuses)
        and (query.types is None or head.type_slug in query.types)
        and query.creator in {None, head.creator.name}
        and query.host_id in {None, kept.single_host}
    )


def _refusal_to_cancel(kept: KeptTask, series_id: int | None) -> CourseRefused | None:
    if series_id is None:
        return None if kept.head.status is TaskStatus.RUNNING else CourseRefused(kept.head.status)
    status = kept.standing(series_id)
    return None if status in MOVES[CancelAsked].sources else CourseRefused(status)


def _gone(settled: Sequence[Settled]) -> Settlement:
    if not settled:
        return NOTHING_SETTLED
    stale = tuple(result.series_id for result in settled)
    return Settlement(opened=None, task_status=TaskStatus.RUNNING, stale=stale)


def _host_id(claim: Claim) -> int:
    if claim.host_id is None:
        raise ValueError(f"subtask {claim.series_id} of task {claim.task_id} has no host")
    return claim.host_id
