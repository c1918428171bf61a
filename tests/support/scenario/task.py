"""One task of a record: what the record says of it, what workers do, what people ask for.

Every verb that changes its subtasks checks afterwards that its counts say what its subtasks are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from core.claim import require_host_claims
from core.host import STOPPING
from core.record import RECORD_VERSION
from infra.store import keys
from infra.store.task_values import ClaimRequest, Course
from infra.store.values import CHUNK
from tests.support import records
from tests.support.records import FIRST, NOW, make_failures, make_successes, make_undos
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.claim import Claim, ClaimKey, Claims, HostClaim, Reopened, Retaking, Settlement, Taking, Worker
    from core.event import TaskEvent
    from core.host import HostState
    from core.journal import RunLog
    from core.plan import Plan
    from core.record import SubtaskRecord, TaskRecord
    from core.status import Operation, Status
    from core.transition import Settled
    from infra.store.task_values import CourseChanged, CourseRefused
    from tests.support.scenario.record import Record


class Task:
    """One task of a record."""

    def __init__(self, record: Record, accepted: TaskRecord) -> None:
        self._record = record
        self.accepted = accepted
        """The head as it was when the request was accepted."""
        self.id = accepted.id

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.accepted.plan

    async def is_gone(self) -> bool:
        """Return whether the record has no such task."""
        return await self._record.tasks.head(self.id) is None

    async def wait_until_gone(self) -> None:
        """Wait until the task has expired."""
        await eventually(self.is_gone, 10, f"task {self.id} has expired")

    # What the record says of the task.

    async def head(self) -> TaskRecord:
        """Return the head as it is now."""
        return await records.head(self._record.store, self.accepted)

    async def host_ids(self) -> tuple[int, ...]:
        """Return the ids of the hosts."""
        return await self._record.tasks.host_ids(self.id)

    async def subtasks(self) -> dict[int, SubtaskRecord]:
        """Return the subtasks to which something happened, by seriesId."""
        return await self._record.tasks.subtasks(self.accepted)

    async def subtask(self, series_id: int) -> SubtaskRecord:
        """Return a subtask to which something happened."""
        found = await self._record.tasks.subtask(self.accepted, series_id)
        assert found is not None
        return found

    async def derive_subtasks(self) -> dict[int, SubtaskRecord]:
        """Return how every subtask stands, by seriesId."""
        head = await self.head()
        return dict(head.derive_subtasks(await self._record.tasks.subtasks(head)))

    async def list_statuses(self) -> list[tuple[Status, Operation, int]]:
        """Return the status, the operation and the run time of every subtask."""
        return [(one.status, one.operation, one.run_time) for one in (await self.derive_subtasks()).values()]

    async def logs(self, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs."""
        return await self._record.tasks.logs(self.accepted, series_id)

    async def every_log(self) -> list[tuple[int, RunLog]]:
        """Return the seriesId and the log of every run."""
        return [each async for each in self._record.tasks.every_log(self.accepted)]

    async def events(self) -> tuple[TaskEvent, ...]:
        """Return the events."""
        return await self._record.tasks.events(self.id)

    async def raw_events(self) -> list[dict[str, str]]:
        """Return the events as Redis keeps them, without their ids."""
        found = await self._record.client.xrange(keys.events(self.id))
        entries = cast("Sequence[tuple[str, dict[str, str]]]", found)
        return [fields for _, fields in entries]

    async def read_all(self) -> tuple[TaskRecord, Mapping[int, SubtaskRecord], list[dict[str, str]]]:
        """Return the head, the subtasks and the events: two of these are equal when nothing changed in between."""
        return await self.head(), await self.subtasks(), await self.raw_events()

    async def is_expiring(self) -> bool:
        """Return whether all keys of the task have a time to live, or none has."""
        pattern = f"{keys.task(self.id)}*"
        found = [key async for key in self._record.client.scan_iter(pattern)]
        answers = {await self._record.client.pttl(key) >= 0 for key in found}
        assert len(answers) == 1, "all of a task goes, or nothing"
        return answers.pop()

    async def make_newer(self) -> None:
        """Make the task one of a version that this code does not know."""
        await self._record.client.hset(keys.task(self.id), "version", str(RECORD_VERSION + 1))

    # What workers do.

    async def ask(
        self,
        step: int,
        limit: int,
        *,
        whole: bool = False,
        own: int | None = None,
        worker: Worker = FIRST,
        at: int = NOW,
    ) -> Claims:
        """Ask for subtasks of a step once and return the whole answer."""
        _, answer = await self.advance(step, claim=ClaimRequest(limit, whole=whole, own=own), worker=worker, at=at)
        return answer

    async def claim(
        self, step: int, limit: int | None = None, *, worker: Worker = FIRST, at: int = NOW
    ) -> Sequence[Claim]:
        """Claim up to `limit` subtasks of a step in one call; without a limit all of them, in as many as it takes."""
        if limit is not None:
            return (await self.ask(step, limit, worker=worker, at=at)).granted
        claims: list[Claim] = []
        while True:
            granted = (await self.ask(step, CHUNK, worker=worker, at=at)).granted
            claims.extend(granted)
            if len(granted) < CHUNK:
                return claims

    async def claim_hosts(
        self, step: int, limit: int | None = None, *, worker: Worker = FIRST, at: int = NOW
    ) -> list[HostClaim]:
        """Claim subtasks of a step that works on hosts, as `claim` does."""
        return require_host_claims(await self.claim(step, limit, worker=worker, at=at))

    async def advance(
        self,
        step: int,
        settled: Sequence[Settled] = (),
        claim: int | ClaimRequest | None = None,
        *,
        worker: Worker = FIRST,
        at: int = NOW,
    ) -> tuple[Settlement, Claims]:
        """Settle and claim in one call."""
        return await records.advance(self._record.store, self.accepted, step, settled, claim, worker=worker, now=at)

    async def settle(
        self, results: Sequence[Settled], *, step: int | None = None, worker: Worker = FIRST, at: int = NOW
    ) -> Settlement:
        """Record results, of the step of the first one unless another is named; return the last call's answer."""
        index = self.plan.find_step(results[0].series_id).index if step is None else step
        answer: Settlement | None = None
        for start in range(0, len(results), CHUNK):
            answer, _ = await self.advance(index, results[start : start + CHUNK], worker=worker, at=at)
        assert answer is not None
        return answer

    async def succeed(self, claims: Iterable[Claim], *, worker: Worker = FIRST, at: int = NOW) -> Settlement:
        """Record that runs did what they were for."""
        return await self.settle(make_successes(claims), worker=worker, at=at)

    async def fail(self, claims: Iterable[Claim], *, worker: Worker = FIRST, at: int = NOW) -> Settlement:
        """Record that runs did not do what they were for."""
        return await self.settle(make_failures(claims), worker=worker, at=at)

    async def undo(self, claims: Iterable[Claim], *, at: int = NOW) -> Settlement:
        """Record that runs undid what was done."""
        return await self.settle(make_undos(claims), at=at)

    async def pass_step(self, step: int, *, at: int = NOW) -> Settlement:
        """Claim all of a step and record that all of it succeeded."""
        return await self.succeed(await self.claim(step), at=at)

    async def pass_steps_before(self, step: int) -> None:
        """Pass every step up to this one, which is open then."""
        for index in range(step):
            await self.pass_step(index)

    async def fail_step(self, step: int) -> Settlement:
        """Claim all of a step and record that all of it failed."""
        return await self.fail(await self.claim(step))

    async def stands(self, claim: Claim) -> bool:
        """Return whether a claim still stands."""
        return await self._record.tasks.stands(claim)

    async def take(self, claims: Sequence[Claim], *, at: int = NOW) -> Taking:
        """Take the hosts of some claims, to stop their agents."""
        return await self._record.tasks.take_hosts(require_host_claims(claims), at, STOPPING)

    async def retake(self, claims: Sequence[Claim]) -> tuple[Retaking, ...]:
        """Take the hosts of some claims again, to stop their agents."""
        return await self._record.tasks.retake_hosts(require_host_claims(claims), NOW, STOPPING)

    async def give_back(
        self, claims: Sequence[Claim], after: HostState | None = None, *, at: int = NOW
    ) -> tuple[int, ...]:
        """Give the hosts of some claims back: in this state, or as they were before."""
        return await self._record.tasks.give_back_hosts(require_host_claims(claims), at, after)

    async def reopen(
        self, worker: Worker, claims: Sequence[ClaimKey], *, lost: RunLog | None, at: int = NOW
    ) -> Reopened:
        """Take claims from a worker."""
        answer = await self._record.tasks.reopen(self.accepted, worker, claims, at, lost=lost)
        await self.check_counts()
        return answer

    # What people ask for.

    async def retry(self, series_id: int | None = None, *, at: int = NOW) -> CourseChanged | CourseRefused | None:
        """Retry what failed, or one subtask."""
        return await self._change(Course.RETRY, series_id, at)

    async def skip(self, series_id: int) -> CourseChanged | CourseRefused | None:
        """Skip a subtask."""
        return await self._change(Course.SKIP, series_id, NOW)

    async def roll_back(self, *, at: int = NOW) -> CourseChanged | CourseRefused | None:
        """Roll the task back."""
        return await self._change(Course.ROLLBACK, None, at)

    async def cancel(self, series_id: int | None = None, *, at: int = NOW) -> CourseRefused | bool | None:
        """Cancel the task, or one subtask."""
        answer = await self._record.tasks.cancel(self.accepted, at, series_id)
        await self.check_counts()
        return answer

    async def withdraw(self) -> bool:
        """Withdraw the task, as if it had never been accepted."""
        return await self._record.tasks.withdraw(self.id)

    async def _change(self, course: Course, series_id: int | None, at: int) -> CourseChanged | CourseRefused | None:
        answer = await self._record.tasks.change_course(self.accepted, course, at, series_id)
        await self.check_counts()
        return answer

    async def check_counts(self) -> None:
        """Check that the task's counts say what its subtasks are."""
        await records.check_counts(self._record.store, self.id)
