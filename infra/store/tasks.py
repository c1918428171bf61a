"""Tasks in Redis: what each script is told, and how its answer reads."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

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
from infra.store.host_values import Adding, NewHost, Release
from infra.store.parse import parse_head, parse_obstacle, parse_subtask, parse_target
from infra.store.streams import Streams
from infra.store.task_values import (
    ClaimRequest,
    Course,
    CourseChanged,
    CourseRefused,
    KeyTaken,
    Known,
    Once,
    OpenLog,
    TaskPage,
    TaskQuery,
)
from infra.store.values import CHUNK, TOO_MANY_LOSSES, StoreOptions

_SETTLE_FROM = letters(GOING_ON)
_CLAIM_FROM = letters(MOVES[Claimed].sources)
_COURSE_WORDS = {Course.RETRY: "retry", Course.SKIP: "skip", Course.ROLLBACK: "rollback"}
_LOG_SUFFIXES = ("", ":L", ":K", ":B", ":M", ":Q")
"""Of the fields of a run's logs, in the order in which they are written: the run, its skip, its undoing, its skip."""


class Tasks:
    """The tasks: their heads, subtasks, logs and hosts' holds."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._options = options
        self._streams = Streams(connection)
        self._creation = Creation(connection, options)

    async def aclose(self) -> None:
        """Give back what the follower waits on."""
        await self._streams.aclose()

    async def create(self, draft: Draft) -> TaskRecord:
        """Store a task, its index entry, its first event and its audit entry, at once. Its first step is open."""
        made = await self._creation.task(draft, NO_KEY)
        if not isinstance(made, TaskRecord):
            raise TypeError(made)
        return made

    async def create_once(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken:
        """Store a task like `create`, unless a request with the same key was made in the last 24 hours.

        Of any number of requests at the same time with the same key, one is stored.
        """
        made: TaskRecord | Known | KeyTaken | None = None
        while made is None:
            made = await self._creation.task(draft, once)
        return made

    async def create_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding:
        """Add hosts (at most `CHUNK`) and store a task for each of them, all at once or none.

        The hosts are NEW, without an agent, and get ids that no host has or had.

        Args:
            hosts: the hosts.
            draft: what the tasks have in common; its host ids and its audit entry do not count.
            once: as for `create_once`, for all of the tasks together.
        """
        made: Adding | None = None
        while made is None:
            made = await self._creation.with_hosts(hosts, draft, once or NO_KEY)
        return made

    async def withdraw(self, task_id: int) -> bool:
        """Remove a task that nobody has claimed anything of; False where somebody has."""
        return bool(await self._redis.run("withdraw", task_id))

    async def head(self, task_id: int) -> TaskRecord | None:
        """Return a task's head, or None."""
        fields = await self._redis.call("HGETALL", keys.task(task_id))
        return parse_head(task_id, fields) if fields else None

    async def heads(self, task_ids: Sequence[int]) -> dict[int, TaskRecord]:
        """Return the heads of those of the tasks that exist, by id."""
        found: dict[int, TaskRecord] = {}
        for chunk in chunks(task_ids, CHUNK):
            answers = await self._redis.calls([("HGETALL", keys.task(task_id)) for task_id in chunk])
            pairs = zip(chunk, answers, strict=True)
            found.update((task_id, parse_head(task_id, fields)) for task_id, fields in pairs if fields)
        return found

    async def page(self, query: TaskQuery, now: int) -> TaskPage:
        """Return a page of tasks in id order. The cost hardly grows with the number of tasks."""
        total, ids = await self._redis.run("page", *_page_words(query, now))
        return TaskPage(tuple((await self.heads(ids)).values()), total)

    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        """Return the events of a task that are still kept, oldest first."""
        return await self._streams.events(task_id)

    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        """Wait until something happened to one of several tasks, for at most `patience` seconds.

        For one caller at a time: the wait has one connection of its own.

        Args:
            cursors: by task id, the id of the last event that is known, or `core.event.NO_EVENT`.
            patience: less than the store's timeout.

        Returns:
            By task id, the events after those, oldest first; tasks to which nothing happened are left out.
        """
        return await self._streams.follow(cursors, patience)

    async def host_ids(self, task_id: int) -> tuple[int, ...]:
        """Return a task's hosts in the order given."""
        return tuple(map(int, await self._redis.call("LRANGE", keys.task_hosts(task_id), 0, -1)))

    async def subtasks(self, task: TaskRecord) -> dict[int, SubtaskRecord]:
        """Return the subtasks to which something happened, by seriesId."""
        return (await self.many_subtasks((task,)))[task.id]

    async def many_subtasks(self, tasks: Sequence[TaskRecord]) -> dict[int, dict[int, SubtaskRecord]]:
        """Return what `subtasks` does for each of several tasks, by task id, in one round trip."""
        queries = [_subtask_queries(task) for task in tasks]
        answers = iter(await self._redis.calls([query for of_task in queries for query in of_task]))
        return {
            task.id: _parse_subtasks(task, [next(answers) for _ in of_task])
            for task, of_task in zip(tasks, queries, strict=True)
        }

    async def every_log(self, task: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        """Yield the seriesId and the log of every run of every subtask, in order; a part is read at a time."""
        for first in range(0, task.plan.size, keys.BUCKET):
            stored = await self._redis.call_raw("HGETALL", keys.logs(task.id, first))
            for (series_id, *_), blob in sorted((_log_place(name), blob) for name, blob in stored.items()):
                yield series_id, logcodec.decode(blob)

    async def logs(self, task: TaskRecord, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs, oldest first."""
        record = await self._redis.call("HGET", keys.subtasks(task.id, series_id), series_id)
        runs = parse_subtask(record, task.started, {}).run_time if record else 0
        if not runs:
            return ()
        fields = [f"{series_id}:{run_time}{suffix}" for run_time in range(1, runs + 1) for suffix in _LOG_SUFFIXES]
        stored = await self._redis.call_raw("HMGET", keys.logs(task.id, series_id), *fields)
        return tuple(logcodec.decode(blob) for blob in stored if blob is not None)

    async def advance(  # noqa: PLR0913 - one call does what would else be two
        self,
        task: TaskRecord,
        step: PlannedStep,
        worker: Worker,
        now: int,
        *,
        settled: Sequence[Settled] = (),
        claim: ClaimRequest | None = None,
    ) -> tuple[Settlement, Claims]:
        """Record a batch of results and claim more, in one atomic call.

        Results first: each is written only where its token still stands and the move is legal. The result that settles
        the last subtask of the step opens the next step, or ends the task. Then at most `claim.limit` subtasks of the
        step are claimed: those that became ready again first, then those that nothing happened to. Suspects are
        withheld from a worker that has one, and the answer says so: it may ask again once that one is settled.
        """
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

    async def subtask(self, task: TaskRecord, series_id: int) -> SubtaskRecord | None:
        """Return what happened to one subtask; None where nothing did."""
        raw, executors = await self._redis.calls(
            [("HGET", keys.subtasks(task.id, series_id), series_id), ("HGETALL", keys.task_executors(task.id))]
        )
        names = {number: name for name, number in executors.items()}
        return parse_subtask(raw, task.started, names) if raw else None

    async def change_course(
        self, task: TaskRecord, course: Course, now: int, series_id: int | None = None
    ) -> CourseChanged | CourseRefused | None:
        """Make failed subtasks ready again: one, or (but for SKIP) all of a task that is FAILED.

        The task is RUNNING from then on, and does not expire. A retry of the task is its operation from then on; a
        subtask's is its own affair. Each retried subtask's run counts one more.

        A ROLLBACK turns the task: every subtask of the step that it is at becomes ready to be undone, then those of the
        step before, until all are PENDING and the task is SUCCESSFUL. No run counts for it, until it is retried.
        On the way back a retry undoes again, and so does a second ROLLBACK; a skip leaves things as they are.

        Returns:
            What was changed; Refused where the task (or the subtask) is not FAILED; None where the task is gone.
        """
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

    async def cancel(self, task: TaskRecord, now: int, series_id: int | None = None) -> CourseRefused | bool | None:
        """Have the run of a subtask abandoned, or with no subtask named the whole task stopped.

        A subtask must be RUNNING; its worker lets go within a beat or two and records it as FAILED. A task must be
        RUNNING: nothing new of it starts, what runs is cancelled, and what was ready counts as FAILED. Where the worker
        of a run is not alive, the run is FAILED at once.

        Returns:
            True where it was done; CourseRefused where it does not stand so; None where the task is gone.
        """
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

    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        """Keep what runs have done so far (at most `CHUNK` of them, of any tasks), in the place of their last logs.

        A log whose claim no longer stands is passed over; that of a run that is being cancelled is kept. Nothing but
        logs is changed: the tasks' changes and events stay as they are.
        """
        if logs:
            await self._redis.run("note", _SETTLE_FROM, *_open_logs(logs))

    async def reopen(
        self, task: TaskRecord, worker: Worker, claims: Sequence[ClaimKey], now: int, *, lost: RunLog | None
    ) -> Reopened:
        """Take claims (at most `CHUNK`, of one task) from a worker that does not work on them any more.

        Their subtasks are ready again, as the same run; those that were being cancelled are FAILED.

        Args:
            task: the task.
            worker: who claimed.
            claims: what.
            now: the time.
            lost: where the worker died with them, which is counted for work on hosts: what is kept as the log of a
                subtask that is FAILED because of too many losses. None where the worker lives and gives them up.
        """
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

    async def stands(self, claim: Claim) -> bool:
        """Return whether a claim still stands."""
        raw = await self._redis.call("HGET", keys.subtasks(claim.task_id, claim.series_id), claim.series_id)
        record = parse_subtask(raw, 0, {}) if raw else None
        return record is not None and record.status is Status.RUNNING and record.token == claim.token

    async def take_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> Taking:
        """Give the hosts of the claims (at most `CHUNK`, of one task) to their task: all of them or none.

        Remembers where each host and its agent stood and sets the new state. A host that the task already
        holds counts as taken.
        """
        words = (claims[0].task_id, now, during.agent, during.host)
        answer = await self._redis.run("take", *words, *_claim_triples(claims))
        match answer:
            case ["taken"]:
                return Taken()
            case ["stale", series_id]:
                return StaleClaim(int(series_id))
            case _:
                return parse_obstacle(answer)

    async def retake_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> tuple[Retaking, ...]:
        """Take hosts again (at most `CHUNK`, of one task) that the task gave back, and that nobody had since.

        What they were like before the task took them first is remembered again.

        Returns:
            What became of the host of each claim, in order. Taken also where the task holds the host anyway.
        """
        words = (claims[0].task_id, now, during.agent, during.host)
        answers = await self._redis.run("retake", *words, *_claim_triples(claims))
        return tuple(_retaking(claim.host_id, holder) for claim, holder in zip(claims, answers, strict=True))

    async def release_host(
        self, host: Host, task: TaskRecord | None, series_id: int | None, now: int, state: HostState | None
    ) -> Release:
        """Free a host from the task that holds it, whether or not the task is over, unless a run works on the host.

        Args:
            host: the host, as it was read, held.
            task: the holder; None where there is no such task any more.
            series_id: the host's subtask in the step that the task is at; None where that step has none for hosts.
            now: the time.
            state: where host and agent stand from now on; None restores what was before the task took the host.
        """
        agent, status = (state.agent, state.host) if state else ("", "")
        current, size = (task.current, task.plan.size) if task else ("-", 0)
        words = (host.target.host_id, host.holder or 0, now, agent, status, current)
        wanted: Argument = "-" if series_id is None else series_id
        kept = (self._options.keep_tasks, self._options.keep_events)
        return Release(await self._redis.run("release", *words, wanted, size, *kept))

    async def give_back_hosts(self, claims: Sequence[HostClaim], now: int, after: HostState | None) -> tuple[int, ...]:
        """Free the hosts of the claims (at most `CHUNK`, of one task) that their task holds.

        Args:
            claims: which hosts; nothing happens to those whose claim no longer stands.
            now: the time.
            after: where the hosts and their agents stand from now on, but for a host whose agent stands as it did
                before the task took it: such a one is as it was itself. None restores what was before.

        Returns:
            The ids of the hosts that were freed.
        """
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
