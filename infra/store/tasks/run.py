"""Claim subtasks, record the results of their runs, and take claims back."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from core.claim import (
    NOTHING_SETTLED,
    Claim,
    ClaimKey,
    Claims,
    ClaimVerdict,
    HostClaim,
    Reopened,
    Settlement,
    WaitClaim,
    Worker,
)
from core.journal import RunLog
from core.plan import PlannedStep
from core.record import RECORD_VERSION, TaskRecord
from core.status import TaskStatus
from core.transition import Settled
from infra.store import keys
from infra.store.codec import log as logcodec
from infra.store.codes import OPERATION_OF, SEEN_LETTERS, SEEN_OF
from infra.store.connection import Argument, Reply
from infra.store.parse import parse_target
from infra.store.task_values import (
    ClaimRequest,
    OpenLog,
)
from infra.store.tasks.part import TaskPart


class TaskRunner(TaskPart):
    """Claims subtasks and records results."""

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

        Results come first. Each is written only if its token still stands and its move is legal. The result of the last
        open subtask of the step opens the next step, or ends the task. Then the call claims at most `claim.limit`
        subtasks of the step: first those that became ready again, then those that nothing happened to. A worker that
        has a suspect gets no second one, and the answer says so: it may ask again once the first is settled.
        """
        answer = await self._redis.run_hot(
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
        yield from (int(step.step.per_host), int(step.is_last), task.plan.size)
        yield from (worker.id, worker.name, now, self._options.keep_tasks, self._options.keep_events)

    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        """Replace the logs of runs that are not over (at most `CHUNK` runs, of any tasks).

        The log of a claim that no longer stands is skipped; the log of a run that is being cancelled is kept. Only logs
        change: the tasks' changes and events stay as they are.
        """
        if logs:
            await self._redis.run_hot("note", *_open_logs(logs))

    async def reopen(
        self, task: TaskRecord, worker: Worker, claims: Sequence[ClaimKey], now: int, *, lost: RunLog | None
    ) -> Reopened:
        """Take claims (at most `CHUNK`, of one task) from a worker that no longer works on them.

        Their subtasks become ready again, as the same run. Those that were being cancelled are FAILED.

        Args:
            task: the task.
            worker: the worker that claimed.
            claims: the claims.
            now: the time.
            lost: the log for a subtask that lost its worker too often and is FAILED now. None if the worker lives and
                gives the claims up: then no loss counts. Losses count for work on hosts only.
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
        step = head.plan.steps[head.current_step]
        return await self._redis.run(
            "reopen",
            logcodec.encode(lost) if lost else b"",
            **self._step_args(head, now),
            worker=str(worker.id),
            lost=lost is not None and step.step.action.is_remote,
            claims=[(claim.series_id, str(claim.token)) for claim in claims],
        )


def _results(settled: Sequence[Settled]) -> Iterator[Argument]:
    yield len(settled)
    logs: dict[int, bytes] = {}  # many runs of a step may share one
    for result in settled:
        log = logs.get(id(result.log))
        if log is None:
            log = logs[id(result.log)] = logcodec.encode(result.log)
        yield from (result.series_id, result.token, result.move)
        yield SEEN_LETTERS[result.agent_alive, result.touched]
        yield log


def _claim_words(claim: ClaimRequest | None) -> Iterator[Argument]:
    if claim is None:
        return iter((0, 0, "-"))
    return iter((claim.limit, int(claim.whole), "-" if claim.own is None else claim.own))


def _open_logs(logs: Sequence[OpenLog]) -> Iterator[Argument]:
    for task_id, of_task in groupby(sorted(logs, key=_task_of), _task_of):
        runs = tuple(of_task)
        yield from (task_id, len(runs))
        for run in runs:
            yield from (run.claim.series_id, run.claim.token, logcodec.encode(run.log))


def _task_of(run: OpenLog) -> int:
    return run.claim.task_id


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
