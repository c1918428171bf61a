"""Tasks in Redis: what each script is told, and how its answer reads."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from typing_extensions import override

from core.chunks import chunks
from core.claim import (
    NOTHING_SETTLED,
    Claim,
    ClaimKey,
    Claims,
    ClaimVerdict,
    GivenAway,
    HeldByOther,
    HostClaim,
    Protected,
    Reopened,
    Retaking,
    Settlement,
    StaleClaim,
    Taken,
    Taking,
    WaitClaim,
    Worker,
)
from core.event import TaskEvent
from core.host import Host, HostState
from core.journal import RunLog
from core.lease import HostBusy
from core.plan import PlannedStep
from core.record import RECORD_VERSION, Draft, SubtaskRecord, TaskRecord
from core.status import Status, TaskStatus
from core.transition import GOING_ON, MOVES, Claimed, Settled
from infra.store import keys
from infra.store.codec import log as logcodec
from infra.store.codes import OPERATION_OF, SEEN_LETTERS, SEEN_OF, STATUS_LETTERS, STATUS_OF, letters
from infra.store.connection import Argument, Connection, Reply
from infra.store.creation import NO_KEY, Creation
from infra.store.parse import parse_head, parse_obstacle, parse_subtask, parse_target
from infra.store.streams import Streams
from infra.store.values import (
    CHUNK,
    TOO_MANY_LOSSES,
    Adding,
    ClaimRequest,
    Course,
    CourseChanged,
    CourseRefused,
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

_SETTLE_FROM = letters(GOING_ON)
_CLAIM_FROM = letters(MOVES[Claimed].sources)
_COURSE_WORDS = {Course.RETRY: "retry", Course.SKIP: "skip", Course.ROLLBACK: "rollback"}
_LOG_SUFFIXES = ("", ":L", ":K", ":B", ":M", ":Q")
"""Of the fields of a run's logs, in the order in which they are written: the run, its skip, its undoing, its skip."""


class RedisTasks(Tasks):
    """The tasks of one fleet in one Redis."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._options = options
        self._streams = Streams(connection)
        self._creation = Creation(connection, options)

    async def aclose(self) -> None:
        """Give back what the follower waits on."""
        await self._streams.aclose()

    @override
    async def create(self, draft: Draft) -> TaskRecord:
        made = await self._creation.task(draft, NO_KEY)
        if not isinstance(made, TaskRecord):
            raise TypeError(made)
        return made

    @override
    async def create_once(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken:
        made: TaskRecord | Known | KeyTaken | None = None
        while made is None:
            made = await self._creation.task(draft, once)
        return made

    @override
    async def create_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding:
        made: Adding | None = None
        while made is None:
            made = await self._creation.with_hosts(hosts, draft, once or NO_KEY)
        return made

    @override
    async def withdraw(self, task_id: int) -> bool:
        return bool(await self._redis.run("withdraw", task_id))

    @override
    async def head(self, task_id: int) -> TaskRecord | None:
        fields = await self._redis.call("HGETALL", keys.task(task_id))
        return parse_head(task_id, fields) if fields else None

    @override
    async def heads(self, task_ids: Sequence[int]) -> dict[int, TaskRecord]:
        found: dict[int, TaskRecord] = {}
        for chunk in chunks(task_ids, CHUNK):
            answers = await self._redis.calls([("HGETALL", keys.task(task_id)) for task_id in chunk])
            pairs = zip(chunk, answers, strict=True)
            found.update((task_id, parse_head(task_id, fields)) for task_id, fields in pairs if fields)
        return found

    @override
    async def page(self, query: TaskQuery, now: int) -> TaskPage:
        total, ids = await self._redis.run("page", *_page_words(query, now))
        return TaskPage(tuple((await self.heads(ids)).values()), total)

    @override
    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        return await self._streams.events(task_id)

    @override
    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        return await self._streams.follow(cursors, patience)

    @override
    async def host_ids(self, task_id: int) -> tuple[int, ...]:
        return tuple(map(int, await self._redis.call("LRANGE", keys.task_hosts(task_id), 0, -1)))

    @override
    async def subtasks(self, task: TaskRecord) -> dict[int, SubtaskRecord]:
        return (await self.many_subtasks((task,)))[task.id]

    @override
    async def many_subtasks(self, tasks: Sequence[TaskRecord]) -> dict[int, dict[int, SubtaskRecord]]:
        queries = [_subtask_queries(task) for task in tasks]
        answers = iter(await self._redis.calls([query for of_task in queries for query in of_task]))
        return {
            task.id: _parse_subtasks(task, [next(answers) for _ in of_task])
            for task, of_task in zip(tasks, queries, strict=True)
        }

    @override
    async def every_log(self, task: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        for first in range(0, task.plan.size, keys.BUCKET):
            stored = await self._redis.call_raw("HGETALL", keys.logs(task.id, first))
            for (series_id, *_), blob in sorted((_log_place(name), blob) for name, blob in stored.items()):
                yield series_id, logcodec.decode(blob)

    @override
    async def logs(self, task: TaskRecord, series_id: int) -> tuple[RunLog, ...]:
        record = await self._redis.call("HGET", keys.subtasks(task.id, series_id), series_id)
        runs = parse_subtask(record, task.started, {}).run_time if record else 0
        if not runs:
            return ()
        fields = [f"{series_id}:{run_time}{suffix}" for run_time in range(1, runs + 1) for suffix in _LOG_SUFFIXES]
        stored = await self._redis.call_raw("HMGET", keys.logs(task.id, series_id), *fields)
        return tuple(logcodec.decode(blob) for blob in stored if blob is not None)

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
        answer = await self._redis.run(
            "advance", *self._step_words(task, step, worker, now), *_results(settled), *_claim_words(claim)
        )
        opened, status, stale, verdict, granted, withheld = answer
        settlement = NOTHING_SETTLED
        if settled:
            settlement = Settlement(None if opened < 0 else opened, TaskStatus(status), tuple(stale))
        claims = tuple(_parse_claim(task.id, entry) for entry in granted)
        return settlement, Claims(ClaimVerdict(verdict), claims, withheld=bool(withheld))

    def _step_words(self, task: TaskRecord, step: PlannedStep, worker: Worker, now: int) -> Iterator[Argument]:
        yield from (task.id, RECORD_VERSION, step.index, step.first, step.size)
        yield from (int(step.step.per_host), int(step.last), task.plan.size)
        yield from (worker.id, worker.name, now, self._options.keep_tasks, self._options.keep_events)

    @override
    async def subtask(self, task: TaskRecord, series_id: int) -> SubtaskRecord | None:
        raw, executors = await self._redis.calls(
            [("HGET", keys.subtasks(task.id, series_id), series_id), ("HGETALL", keys.task_executors(task.id))]
        )
        names = {number: name for name, number in executors.items()}
        return parse_subtask(raw, task.started, names) if raw else None

    @override
    async def change_course(
        self, task: TaskRecord, course: Course, now: int, series_id: int | None = None
    ) -> CourseChanged | CourseRefused | None:
        head: TaskRecord | None = task
        while head is not None:
            answer = await self._turn(head, course, now, series_id)
            match answer:
                case ["changed", 0, back]:
                    return CourseChanged(head.current, bool(back))
                case ["refused", status]:
                    return CourseRefused(_status_word(head, status, series_id))
                case ["gone"]:
                    return None
                case ["moved"]:
                    head = await self.head(task.id)
                case _:
                    pass  # more of it is left to turn
        return None

    async def _turn(self, head: TaskRecord, course: Course, now: int, series_id: int | None) -> Reply:
        step = head.plan.steps[head.current]
        wanted: Argument = "-" if series_id is None else series_id
        words = (head.id, RECORD_VERSION, _COURSE_WORDS[course], wanted, now, step.index, step.first)
        return await self._redis.run("course", *words, CHUNK, head.plan.size)

    @override
    async def cancel(self, task: TaskRecord, now: int, series_id: int | None = None) -> CourseRefused | bool | None:
        head: TaskRecord | None = task
        while head is not None:
            answer = await self._call_off(head, now, series_id)
            match answer:
                case ["done", 0]:
                    return True
                case ["refused", status]:
                    return CourseRefused(_status_word(head, status, series_id))
                case ["gone"]:
                    return None
                case ["moved"]:
                    head = await self.head(task.id)
                case _:
                    pass  # more of it is left to call off
        return None

    async def _call_off(self, head: TaskRecord, now: int, series_id: int | None) -> Reply:
        step, options = head.plan.steps[head.current], self._options
        wanted: Argument = "-" if series_id is None else series_id
        words = (head.id, RECORD_VERSION, wanted, now, step.index, step.first, step.size, int(step.last), CHUNK)
        return await self._redis.run("cancel", *words, head.plan.size, options.keep_tasks, options.keep_events)

    @override
    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        if logs:
            await self._redis.run("note", _SETTLE_FROM, *_open_logs(logs))

    @override
    async def reopen(
        self, task: TaskRecord, worker: Worker, claims: Sequence[ClaimKey], now: int, *, lost: RunLog | None
    ) -> Reopened:
        head: TaskRecord | None = task
        while head is not None:
            match await self._reopen(head, worker, claims, now, lost):
                case ["done", ready, failed]:
                    return Reopened(ready, failed)
                case ["moved"]:
                    head = await self.head(task.id)
                case _:
                    break
        await self._redis.call("HDEL", keys.claims(worker.id), *(f"{task.id}:{one.series_id}" for one in claims))
        return Reopened()

    async def _reopen(
        self, head: TaskRecord, worker: Worker, claims: Sequence[ClaimKey], now: int, lost: RunLog | None
    ) -> Reply:
        step, options = head.plan.steps[head.current], self._options
        losses = int(lost is not None and step.step.action.is_remote)
        words = (head.id, RECORD_VERSION, worker.id, now, step.index, step.first, step.size, int(step.last))
        kept = (head.plan.size, options.keep_tasks, options.keep_events)
        log = logcodec.encode(lost) if lost else b""
        pairs = (number for claim in claims for number in (claim.series_id, claim.token))
        return await self._redis.run("reopen", *words, *kept, losses, TOO_MANY_LOSSES, log, *pairs)

    @override
    async def stands(self, claim: Claim) -> bool:
        raw = await self._redis.call("HGET", keys.subtasks(claim.task_id, claim.series_id), claim.series_id)
        record = parse_subtask(raw, 0, {}) if raw else None
        return record is not None and record.status is Status.RUNNING and record.token == claim.token

    @override
    async def take_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> Taking:
        words = (claims[0].task_id, now, during.agent, during.host)
        answer = await self._redis.run("take", *words, *_claim_triples(claims))
        match answer:
            case ["taken"]:
                return Taken()
            case ["stale", series_id]:
                return StaleClaim(int(series_id))
            case _:
                return parse_obstacle(answer)

    @override
    async def retake_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> tuple[Retaking, ...]:
        words = (claims[0].task_id, now, during.agent, during.host)
        answers = await self._redis.run("retake", *words, *_claim_triples(claims))
        return tuple(_retaking(claim.host_id, holder) for claim, holder in zip(claims, answers, strict=True))

    @override
    async def release_host(
        self, host: Host, task: TaskRecord | None, series_id: int | None, now: int, state: HostState | None
    ) -> Release:
        agent, status = (state.agent, state.host) if state else ("", "")
        current, size = (task.current, task.plan.size) if task else ("-", 0)
        words = (host.target.host_id, host.holder or 0, now, agent, status, current)
        wanted: Argument = "-" if series_id is None else series_id
        kept = (self._options.keep_tasks, self._options.keep_events)
        return Release(await self._redis.run("release", *words, wanted, size, *kept))

    @override
    async def give_back_hosts(self, claims: Sequence[HostClaim], now: int, after: HostState | None) -> tuple[int, ...]:
        state = (after.agent, after.host) if after else ("", "")
        freed = await self._redis.run("give_back", claims[0].task_id, now, *state, *_claim_triples(claims))
        return tuple(map(int, freed))


def _page_words(query: TaskQuery, now: int) -> Iterator[Argument]:
    yield from (now, int(query.ascending), query.offset, query.limit)
    host = "" if query.host_id is None else f":host:{query.host_id}"
    yield host + ("" if query.creator is None else f":creator:{query.creator}")
    statuses = frozenset(TaskStatus) if query.statuses is None else query.statuses
    yield len(statuses)
    yield from statuses
    types: Iterable[str] = ("",) if query.types is None else query.types
    yield from types


def _subtask_queries(task: TaskRecord) -> list[tuple[Argument, ...]]:
    buckets = (keys.subtasks(task.id, first) for first in range(0, task.plan.size, keys.BUCKET))
    return [("HGETALL", keys.task_executors(task.id)), *(("HGETALL", bucket) for bucket in buckets)]


def _parse_subtasks(task: TaskRecord, answers: Sequence[Reply]) -> dict[int, SubtaskRecord]:
    executors, *records = answers
    names = {number: name for name, number in executors.items()}
    return {
        int(series_id): parse_subtask(raw, task.started, names)
        for bucket in records
        for series_id, raw in bucket.items()
    }


def _log_place(name: bytes) -> tuple[int, int, int]:
    """Return where a log stands among others: by subtask, by run, and what came of the run after it."""
    series_id, run_time, *suffix = name.decode().split(":")
    return int(series_id), int(run_time), _LOG_SUFFIXES.index("".join(f":{letter}" for letter in suffix))


def _retaking(host_id: int, answer: Reply) -> Retaking:
    match answer:
        case 0:
            return Taken()
        case "protected":
            return Protected(host_id)
        case [purpose, left]:
            return HostBusy(host_id, purpose, left)
        case holder:
            return HeldByOther(host_id, holder) if holder > 0 else GivenAway(host_id)


def _status_word(head: TaskRecord, answer: str, series_id: int | None) -> str:
    """Return the status that a refusal names: the task's as it is, a subtask's from its letter."""
    if series_id is None:
        return answer
    stored = None if answer == "-" else SubtaskRecord(STATUS_OF[answer])
    return head.derive_subtask(head.plan.step_of(series_id).index, stored).status


def _results(settled: Sequence[Settled]) -> Iterator[Argument]:
    yield from (_SETTLE_FROM, len(settled))
    logs: dict[int, bytes] = {}  # many runs of a step may share one
    for result in settled:
        log = logs.get(id(result.log))
        if log is None:
            log = logs[id(result.log)] = logcodec.encode(result.log)
        yield from (result.series_id, result.token, STATUS_LETTERS[MOVES[type(result)].to])
        yield SEEN_LETTERS[result.agent_alive, result.touched]
        yield log


def _claim_words(claim: ClaimRequest | None) -> Iterator[Argument]:
    if claim is None:
        return iter((_CLAIM_FROM, 0, 0, "-"))
    return iter((_CLAIM_FROM, claim.limit, int(claim.whole), "-" if claim.own is None else claim.own))


def _open_logs(logs: Sequence[OpenLog]) -> Iterator[Argument]:
    for task_id, of_task in groupby(sorted(logs, key=_task_of), _task_of):
        runs = tuple(of_task)
        yield from (task_id, len(runs))
        for run in runs:
            yield from (run.claim.series_id, run.claim.token, logcodec.encode(run.log))


def _task_of(run: OpenLog) -> int:
    return run.claim.task_id


def _claim_triples(claims: Iterable[HostClaim]) -> Iterator[Argument]:
    for claim in claims:
        yield from (claim.series_id, claim.token, claim.host_id)


def _parse_claim(task_id: int, entry: Reply) -> Claim:
    series_id, operation, run_time, token, seen, suspect, host, found = entry
    if not host:
        return WaitClaim(task_id, series_id, OPERATION_OF[operation], int(run_time), int(token))
    _, touched = SEEN_OF[seen]
    host_id = int(host)
    return HostClaim(
        task_id=task_id,
        series_id=series_id,
        operation=OPERATION_OF[operation],
        run_time=int(run_time),
        token=int(token),
        host_id=host_id,
        target=None if found[1] is None else parse_target(host_id, found[1:]),
        held=found[0] == str(task_id),
        touched=touched,
        suspect=bool(suspect),
    )
