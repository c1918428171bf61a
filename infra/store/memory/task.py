"""One task in memory: what its head, its counts, its cursors and its subtasks become when something happens to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from core.claim import ClaimVerdict, Worker
from core.journal import RunLog
from core.plan import PlannedStep
from core.record import RECORD_VERSION, SubtaskRecord, TaskRecord
from core.status import Operation, Status, TaskStatus
from core.transition import GOING_ON, MOVES, CalledOff, CancelAsked, Cancelled, Claimed, Retried, Settled, Skipped
from infra.store.base import ClaimRequest, Course
from infra.store.letters import STATUS_LETTERS

Event = Mapping[str, str]
"""What a batch of changes did: time and step, status letters with the ranges of seriesIds, what it opened or ended."""


EVENTS_KEPT = 1000
"""At most so many events of a task can be read: the newest ones."""


@dataclass(slots=True)
class KeptTask:
    """A task: its head and everything that grows while it runs."""

    head: TaskRecord
    """As it was accepted, but for status, operation, end and newest open step; its counts stand in `counts`."""
    host_ids: tuple[int, ...]
    subtasks: dict[int, SubtaskRecord] = field(default_factory=dict)
    """Those to which something happened, by seriesId."""
    logs: dict[int, dict[tuple[int, bool], RunLog]] = field(default_factory=dict)
    """By seriesId, the log of each run; by number of the run and whether it is its skipping."""
    counts: dict[tuple[int, Status], int] = field(default_factory=dict)
    """How many subtasks of a step have a stored status."""
    cursors: dict[int, int] = field(default_factory=dict)
    """By step: the subtasks below this offset were claimed once."""
    again: dict[int, set[int]] = field(default_factory=dict)
    """By step: the seriesIds of subtasks that became ready again."""
    owners: dict[int, int] = field(default_factory=dict)
    """By step: the token under which the whole step is being claimed."""
    cancelled: bool = False
    """Whether the task was cancelled and not retried since."""
    last_token: int = 0
    """The newest claim's."""
    held: int = 0
    """How many hosts the task holds."""
    events: list[Event] = field(default_factory=list)
    """One for each batch of changes, oldest first."""
    single_host: int | None = None
    """The host that the task is about, where it is a request about a single one."""
    gone_at: int | None = None
    """When the task expires, by the store's clock; None while it runs or holds a host."""
    events_gone_at: int | None = None
    """When its events expire; None while it runs."""

    def snapshot(self) -> TaskRecord:
        """Return the head as it stands."""
        return replace(
            self.head, counts={key: count for key, count in self.counts.items() if count}, changes=len(self.events)
        )

    def stands(self, series_id: int, token: int) -> bool:
        """Return whether a claim stands: its subtask is running under this very token."""
        record = self.subtasks.get(series_id)
        return record is not None and record.status is Status.RUNNING and record.token == token

    def settle(self, step: PlannedStep, result: Settled, now: int) -> SubtaskRecord | None:
        """Record how a run ended and return the subtask's record; None where its claim no longer stands."""
        record = self.subtasks.get(result.series_id)
        if result.series_id not in step.series or record is None or record.token != result.token:
            return None
        if record.status in MOVES[Cancelled].sources:
            self.put_log(result.series_id, record, result.log)
            self.fail(step, result.series_id, now)
            return self.subtasks[result.series_id]
        move = MOVES[type(result)]
        if record.status not in move.sources:
            return None
        self.put_log(result.series_id, record, result.log)
        seen = record.agent_alive if result.agent_alive is None else result.agent_alive
        settled = replace(record, status=move.to, finished=now, token=None, agent_alive=seen)
        self.change(step, result.series_id, settled)
        return settled

    def note_log(self, series_id: int, token: int, log: RunLog) -> None:
        """Keep what a run has done so far, unless its claim no longer stands."""
        record = self.subtasks.get(series_id)
        if record is not None and record.token == token and record.status in GOING_ON:
            self.put_log(series_id, record, log)

    def put_log(self, series_id: int, record: SubtaskRecord, log: RunLog) -> None:
        """Keep the log of a subtask's present run, in the place of what was kept of it before."""
        run = record.run_time, record.operation is Operation.SKIP
        self.logs.setdefault(series_id, {})[run] = log

    def runs(self, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs, oldest first, each skip after the run that it skipped."""
        return tuple(log for _, log in sorted(self.logs.get(series_id, {}).items(), key=itemgetter(0)))

    def running(self, step: PlannedStep) -> list[int]:
        """Return the running subtasks of a step."""
        sources = MOVES[CancelAsked].sources
        return [one for one in step.series if one in self.subtasks and self.subtasks[one].status in sources]

    def fail(self, step: PlannedStep, series_id: int, now: int) -> None:
        """Record that a subtask was cancelled."""
        record = self.subtasks.get(series_id, self.head.untouched(step.index))
        over = replace(record, status=Status.FAILED, operation=Operation.CANCEL, finished=now, token=None)
        self.change(step, series_id, over)

    def call_off(self, step: PlannedStep, now: int) -> list[int]:
        """Fail what is ready of a step, and return it."""
        ready = [
            one
            for one in step.series
            if self.subtasks.get(one, self.head.untouched(step.index)).status in MOVES[CalledOff].sources
        ]
        for series_id in ready:
            self.fail(step, series_id, now)
        self.again.pop(step.index, None)
        self.cursors[step.index] = step.size
        return ready

    def change_course(self, series_ids: Iterable[int], course: Course, now: int) -> None:
        """Make failed subtasks of the newest open step ready again; the task runs, and does not expire."""
        step = self.head.plan.steps[self.head.opened]
        turned = sorted(series_ids)
        for series_id in turned:
            record = self.subtasks[series_id]
            again = replace(record, status=MOVES[Retried].to, operation=Operation.RETRY, run_time=record.run_time + 1)
            if course is Course.SKIP:
                again = replace(record, status=MOVES[Skipped].to, operation=Operation.SKIP)
            self.change(step, series_id, again)
            self.again.setdefault(step.index, set()).add(series_id)
        self.head = replace(self.head, status=TaskStatus.RUNNING, skipped=self.head.skipped or course is Course.SKIP)
        self.cancelled = False
        self.gone_at = self.events_gone_at = None
        letter = STATUS_LETTERS[Status.READY]
        event = {"at": str(now), "step": str(step.index), letter: ranges(turned), "task": self.head.status.value}
        self.events.append(event)

    def failed(self) -> list[int]:
        """Return the failed subtasks of the newest open step."""
        step = self.head.plan.steps[self.head.opened]
        return [series_id for series_id in step.series if self._is_failed(series_id)]

    def _is_failed(self, series_id: int) -> bool:
        record = self.subtasks.get(series_id)
        return record is not None and record.status is Status.FAILED

    def pass_barrier(self, step: PlannedStep, now: int) -> bool:
        """Open the next step where all of this one is SUCCESSFUL, or end the task where nothing of it is open.

        Returns:
            Whether the next step was opened.
        """
        well = self.counts.get((step.index, Status.SUCCESSFUL), 0)
        badly = self.counts.get((step.index, Status.FAILED), 0)
        head = self.head
        if head.status is not TaskStatus.RUNNING or step.index != head.opened or well + badly < step.size:
            return False
        if not badly and not step.last:
            self.head = replace(head, opened=step.index + 1)
            return True
        status = TaskStatus.FAILED if badly else TaskStatus.SUCCESSFUL
        self.head = replace(head, status=status, finished=now)
        return False

    def refusal(self, step: PlannedStep, request: ClaimRequest) -> ClaimVerdict | None:
        """Return why nothing of a step can be claimed, or None where it can."""
        if self.head.version > RECORD_VERSION:
            return ClaimVerdict.NEWER
        if step.index > self.head.opened:
            return ClaimVerdict.EARLY
        if self.cancelled:
            return ClaimVerdict.CLOSED
        if request.whole and not self._whole_step_is_free(step, request.own):
            return ClaimVerdict.BUSY
        return None

    def _whole_step_is_free(self, step: PlannedStep, own: int | None) -> bool:
        if own is None:
            return not self.counts.get((step.index, Status.RUNNING), 0)
        return self.owners.get(step.index) == own

    def claim(self, step: PlannedStep, worker: Worker, now: int, request: ClaimRequest) -> Iterator[int]:
        """Claim subtasks of a step and yield their seriesIds: those ready again first, then untouched ones."""
        own = request.own
        for series_id in self._candidates(step, request.limit):
            record = self.subtasks.get(series_id, self.head.untouched(step.index))
            if record.status not in MOVES[Claimed].sources:
                continue
            self.last_token += 1
            if request.whole and own is None:
                own = self.owners[step.index] = self.last_token
            started = now if record.started is None else record.started
            self.change(
                step,
                series_id,
                replace(
                    record,
                    status=MOVES[Claimed].to,
                    executor=worker.name,
                    started=started,
                    finished=None,
                    token=self.last_token,
                ),
            )
            yield series_id

    def _candidates(self, step: PlannedStep, limit: int) -> Sequence[int]:
        waiting = self.again.get(step.index, set())
        again = sorted(waiting)[:limit]
        waiting.difference_update(again)
        cursor = self.cursors.get(step.index, 0)
        upto = max(cursor, min(step.size, cursor + limit - len(again)))
        self.cursors[step.index] = upto
        return (*again, *range(step.first + cursor, step.first + upto))

    def change(self, step: PlannedStep, series_id: int, record: SubtaskRecord) -> None:
        """Store a subtask's record and count it."""
        former = self.subtasks.get(series_id)
        if former is not None:
            self.counts[step.index, former.status] -= 1
        self.counts[step.index, record.status] = self.counts.get((step.index, record.status), 0) + 1
        self.subtasks[series_id] = record

    def note(
        self, now: int, step: PlannedStep, changed: Mapping[Status, Iterable[int]], *, opened: bool, ended: bool
    ) -> None:
        """Add the event of a batch of changes."""
        event = {"at": str(now), "step": str(step.index)}
        event |= {STATUS_LETTERS[status]: ranges(sorted(series_ids)) for status, series_ids in changed.items()}
        if opened:
            event["opened"] = str(self.head.opened)
        if ended:
            event["task"] = self.head.status.value
        self.events.append(event)

    def retire(self, at: int, keep_task: int, keep_events: int) -> None:
        """Let the task go some time after its end, unless it holds a host, and its events sooner."""
        self.events_gone_at = at + keep_events
        if not self.held:
            self.gone_at = at + keep_task


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as "3-7,9"."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
