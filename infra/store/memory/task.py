"""One task in memory: what its head, its counts, its cursors and its subtasks become when something happens to it."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from core.claim import ClaimKey, ClaimVerdict, Worker
from core.journal import RunLog
from core.plan import PlannedStep
from core.record import RECORD_VERSION, SubtaskRecord, TaskRecord
from core.status import Operation, Status, TaskStatus
from core.transition import (
    GOING_ON,
    MOVES,
    CalledOff,
    CancelAsked,
    Cancelled,
    Claimed,
    Failed,
    Lost,
    Retried,
    RollbackAsked,
    Settled,
    Skipped,
)
from infra.store.base import SUSPECT, TOO_MANY_LOSSES, ClaimRequest, Course
from infra.store.letters import STATUS_LETTERS

Event = Mapping[str, str]
"""What a batch of changes did: time and step, status letters with the ranges of seriesIds, what it opened or ended."""


_BESIDE = {Operation.SKIP: 2, Operation.ROLLBACK: 3, Operation.ROLLBACK_SKIP: 5}
"""Where the log of such a run stands among those of the same number, of which the run itself is the first. What says
that it was lost for good stands right behind it."""

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
    logs: dict[int, dict[tuple[int, int], RunLog]] = field(default_factory=dict)
    """By seriesId, the log of each run: by the run's number, and its place among what stands beside that run."""
    counts: dict[tuple[int, Status], int] = field(default_factory=dict)
    """How many subtasks of a step have a stored status."""
    cursors: dict[int, int] = field(default_factory=dict)
    """By step: the subtasks below this offset were claimed once."""
    undone: dict[int, int] = field(default_factory=dict)
    """By step: the same on the way back."""
    again: dict[int, set[int]] = field(default_factory=dict)
    """By step: the seriesIds of subtasks that became ready again."""
    owners: dict[int, int] = field(default_factory=dict)
    """By step: the token under which the whole step is being claimed."""
    losses: dict[int, int] = field(default_factory=dict)
    """By seriesId: how often a worker was lost that had claimed it."""
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
            self.head,
            counts={key: count for key, count in self.counts.items() if count},
            changes=len(self.events),
            cancelled=self.cancelled,
        )

    def standing(self, series_id: int) -> Status:
        """Return where a subtask stands."""
        index = self.head.plan.step_of(series_id).index
        return self.head.standing(index, self.subtasks.get(series_id)).status

    def stands(self, series_id: int, token: int) -> bool:
        """Return whether a claim stands: its subtask is running under this very token."""
        record = self.subtasks.get(series_id)
        return record is not None and record.status is Status.RUNNING and record.token == token

    def settle(self, step: PlannedStep, result: Settled, now: int) -> SubtaskRecord | None:
        """Record how a run ended and return the subtask's record; None where its claim no longer stands."""
        record = self.subtasks.get(result.series_id)
        if result.series_id not in step.series or record is None or record.token != result.token:
            return None
        move = MOVES[type(result)]
        if move.to is not Status.FAILED and record.operation.undoes != (move.to is Status.PENDING):
            return None
        cancelled = record.status in MOVES[Cancelled].sources
        if not cancelled and record.status not in move.sources:
            return None
        settled = replace(
            record,
            status=move.to,
            finished=self._ended(record, now),
            token=None,
            agent_alive=record.agent_alive if result.agent_alive is None else result.agent_alive,
            touched=record.touched or result.touched,
        )
        self.change(step, result.series_id, settled)
        if cancelled:
            self.fail(step, result.series_id, now)
        self.put_log(result.series_id, record, result.log)
        return self.subtasks[result.series_id]

    def note_log(self, series_id: int, token: int, log: RunLog) -> None:
        """Keep what a run has done so far, unless its claim no longer stands."""
        record = self.subtasks.get(series_id)
        if record is not None and record.token == token and record.status in GOING_ON:
            self.put_log(series_id, record, log)

    def put_log(self, series_id: int, record: SubtaskRecord, log: RunLog) -> None:
        """Keep the log of a subtask's present run, in the place of what was kept of it before."""
        self.logs.setdefault(series_id, {})[record.run_time, _BESIDE.get(record.operation, 0)] = log

    def runs(self, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs, oldest first, its skip, its undoing and the skip of that after it."""
        return tuple(log for _, log in sorted(self.logs.get(series_id, {}).items(), key=itemgetter(0)))

    def running(self, step: PlannedStep) -> list[int]:
        """Return the running subtasks of a step."""
        sources = MOVES[CancelAsked].sources
        return [one for one in step.series if one in self.subtasks and self.subtasks[one].status in sources]

    def fail(self, step: PlannedStep, series_id: int, now: int) -> None:
        """Record that a subtask was cancelled."""
        record = self.subtasks.get(series_id, self.head.untouched(step.index))
        end = self._ended(record, now)
        over = replace(record, status=Status.FAILED, operation=Operation.CANCEL, finished=end, token=None)
        self.change(step, series_id, over)

    def _ended(self, record: SubtaskRecord, now: int) -> int:
        """Return when a run ends that ends now: not before it began, however the callers' clocks were set."""
        return max(now, record.started or 0, self.head.started)

    def lose(self, step: PlannedStep, series_id: int, now: int) -> None:
        """Record that a subtask was cancelled whose worker is gone: nobody knows what the run did."""
        self.subtasks[series_id] = replace(self.subtasks[series_id], touched=True)
        self.fail(step, series_id, now)

    def call_off(self, step: PlannedStep, now: int) -> list[int]:
        """Fail what is ready of a step, and return it."""
        ready = [
            one
            for one in step.series
            if self.head.standing(step.index, self.subtasks.get(one)).status in MOVES[CalledOff].sources
        ]
        for series_id in ready:
            self.fail(step, series_id, now)
        self.again.pop(step.index, None)
        (self.undone if self.head.undoing else self.cursors)[step.index] = step.size
        return ready

    def change_course(self, series_ids: Iterable[int], course: Course, now: int) -> None:
        """Make failed subtasks of the step that the task is at ready again; the task runs, and does not expire."""
        step = self.head.plan.steps[self.head.current]
        turns = course is Course.ROLLBACK and not self.head.undoing
        turned = sorted(series_ids)
        for series_id in turned:
            self.losses.pop(series_id, None)
            self.change(step, series_id, self._again(self.subtasks[series_id], course))
            self.again.setdefault(step.index, set()).add(series_id)
        self.head = replace(self.head, status=TaskStatus.RUNNING, skipped=self.head.skipped or course is Course.SKIP)
        self.cancelled = False
        self.gone_at = self.events_gone_at = None
        event = {"at": str(now), "step": str(step.index), "task": self.head.status.value}
        if turned:
            event[STATUS_LETTERS[Status.READY]] = ranges(turned)
        if turns:
            self.head = replace(self.head, back=step.index, operation=Operation.ROLLBACK)
            event["back"] = str(step.index)
        self.events.append(event)

    def _again(self, record: SubtaskRecord, course: Course) -> SubtaskRecord:
        back = self.head.undoing
        if course is Course.SKIP:
            operation = Operation.ROLLBACK_SKIP if back else Operation.SKIP
            return replace(record, status=MOVES[Skipped].to, operation=operation)
        if course is Course.ROLLBACK and not back:
            return replace(record, status=MOVES[RollbackAsked].to, operation=Operation.ROLLBACK)
        operation = Operation.ROLLBACK if back else Operation.RETRY
        return replace(record, status=MOVES[Retried].to, operation=operation, run_time=record.run_time + 1)

    def failed(self) -> list[int]:
        """Return the failed subtasks of the step that the task is at."""
        step = self.head.plan.steps[self.head.current]
        return [series_id for series_id in step.series if self._is_failed(series_id)]

    def _is_failed(self, series_id: int) -> bool:
        record = self.subtasks.get(series_id)
        return record is not None and record.status is Status.FAILED

    def pass_barrier(self, step: PlannedStep, now: int) -> int | None:
        """Open the next step where all of this one is done, or end the task where nothing of it is open.

        Returns:
            The index of the step that was opened; on the way back that is the one before.
        """
        head = self.head
        well = self.counts.get((step.index, Status.PENDING if head.undoing else Status.SUCCESSFUL), 0)
        badly = self.counts.get((step.index, Status.FAILED), 0)
        if head.status is not TaskStatus.RUNNING or step.index != head.current or well + badly < step.size:
            return None
        if not badly and head.undoing and step.index:
            self.head = replace(head, back=step.index - 1)
            return step.index - 1
        if not badly and not head.undoing and not step.last:
            self.head = replace(head, opened=step.index + 1)
            return step.index + 1
        status = TaskStatus.FAILED if badly else TaskStatus.SUCCESSFUL
        self.head = replace(head, status=status, finished=max(now, head.started))
        return None

    def refusal(self, step: PlannedStep, request: ClaimRequest, *, braked: bool) -> ClaimVerdict | None:
        """Return why nothing of a step can be claimed, or None where it can; `braked` while the fleet's brake is on."""
        if self.head.version > RECORD_VERSION:
            return ClaimVerdict.NEWER
        if step.index > self.head.opened or (self.head.undoing and step.index != self.head.back):
            return ClaimVerdict.EARLY
        if self.cancelled:
            return ClaimVerdict.CLOSED
        if braked and not (request.whole and request.own is not None):
            return ClaimVerdict.BRAKED
        if request.whole and not self._whole_step_is_free(step, request.own):
            return ClaimVerdict.BUSY
        return None

    def _whole_step_is_free(self, step: PlannedStep, own: int | None) -> bool:
        if own is None:
            return not self.counts.get((step.index, Status.RUNNING), 0)
        return self.owners.get(step.index) == own

    def reopen(self, step: PlannedStep, claim: ClaimKey, now: int, lost: RunLog | None) -> Status | None:
        """Take a claim from its worker and return what its subtask is then; None where it no longer stood."""
        record = self.subtasks.get(claim.series_id)
        if record is None or record.token != claim.token or record.status not in GOING_ON:
            return None
        self.losses[claim.series_id] = self.losses.get(claim.series_id, 0) + (lost is not None)
        if record.status in MOVES[Cancelled].sources:
            self.lose(step, claim.series_id, now)
        elif lost is not None and self.losses[claim.series_id] >= TOO_MANY_LOSSES:
            end = self._ended(record, now)
            over = replace(record, status=MOVES[Failed].to, finished=end, token=None, touched=True)
            self.change(step, claim.series_id, over)
            self.logs.setdefault(claim.series_id, {})[record.run_time, _BESIDE.get(record.operation, 0) + 1] = lost
        else:
            again = replace(record, status=MOVES[Lost].to, token=None, touched=True)
            self.change(step, claim.series_id, again)
            self.again.setdefault(step.index, set()).add(claim.series_id)
        return self.subtasks[claim.series_id].status

    def claim(
        self,
        step: PlannedStep,
        worker: Worker,
        now: int,
        request: ClaimRequest,
        suspects: MutableMapping[int, tuple[int, int]],
    ) -> tuple[list[int], bool]:
        """Claim subtasks of a step: those ready again first, then untouched ones.

        Returns:
            Their seriesIds, and whether suspects were withheld.
        """
        own = request.own
        granted: list[int] = []
        candidates, withheld = self._candidates(step, request.limit, worker, suspects)
        for series_id in candidates:
            record = self.head.standing(step.index, self.subtasks.get(series_id))
            if record.status not in MOVES[Claimed].sources:
                continue
            self.last_token += 1
            if request.whole and own is None:
                own = self.owners[step.index] = self.last_token
            started = max(now, self.head.started) if record.started is None else record.started
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
            granted.append(series_id)
        return granted, withheld

    def _candidates(
        self, step: PlannedStep, limit: int, worker: Worker, suspects: MutableMapping[int, tuple[int, int]]
    ) -> tuple[Sequence[int], bool]:
        waiting = self.again.get(step.index, set())
        first = sorted(waiting)[:limit]
        again = [one for one in first if self._may_have(one, worker, suspects)]
        waiting.difference_update(again)
        withheld = len(again) < len(first)
        if self.head.undoing:
            return sorted((*again, *self._undoable(step, limit - len(again)))), withheld
        cursor = self.cursors.get(step.index, 0)
        upto = max(cursor, min(step.size, cursor + limit - len(again)))
        self.cursors[step.index] = upto
        return (*again, *range(step.first + cursor, step.first + upto)), withheld

    def _may_have(self, series_id: int, worker: Worker, suspects: MutableMapping[int, tuple[int, int]]) -> bool:
        """Return whether a worker may claim a subtask: it has one suspect at a time."""
        mine = self.head.id, series_id
        return self.losses.get(series_id, 0) < SUSPECT or suspects.setdefault(worker.id, mine) == mine

    def _undoable(self, step: PlannedStep, limit: int) -> list[int]:
        """Return subtasks that were done and that no run was there to undo yet, and pass a cursor over them."""
        found: list[int] = []
        left = self.counts.get((step.index, Status.SUCCESSFUL), 0)
        for index in range(self.undone.get(step.index, 0), step.size):
            if len(found) == min(limit, left):
                break
            self.undone[step.index] = index + 1
            if self.subtasks[step.first + index].status is Status.SUCCESSFUL:
                found.append(step.first + index)
        return found

    def change(self, step: PlannedStep, series_id: int, record: SubtaskRecord) -> None:
        """Store a subtask's record and count it."""
        former = self.subtasks.get(series_id)
        if former is not None:
            self.counts[step.index, former.status] -= 1
        self.counts[step.index, record.status] = self.counts.get((step.index, record.status), 0) + 1
        self.subtasks[series_id] = record

    def note(
        self,
        now: int,
        step: PlannedStep,
        changed: Mapping[Status, Iterable[int]],
        *,
        opened: int | None = None,
        ended: bool,
    ) -> None:
        """Add the event of a batch of changes."""
        event = {"at": str(now), "step": str(step.index)}
        event |= {STATUS_LETTERS[status]: ranges(sorted(series_ids)) for status, series_ids in changed.items()}
        if opened is not None:
            event["back" if self.head.undoing else "opened"] = str(opened)
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
