"""What the store does, part by part, and the values that it takes and returns.

Every method may raise `core.errors.StoreUnavailable`. Times are milliseconds since the epoch and come from the caller.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.access_key import AccessKey
from core.audit import AuditEntry
from core.brake import Brake
from core.claim import (
    Beat,
    Claim,
    ClaimKey,
    Claims,
    HostClaim,
    Leasing,
    Protecting,
    Reopened,
    Retaking,
    Settlement,
    Taking,
    Worker,
)
from core.errand import ClaimedErrand, Errand, ErrandAnswer
from core.event import TaskEvent
from core.host import Host, HostDetails, HostState, HostStatus, Target
from core.journal import RunLog
from core.lease import Lease
from core.plan import PlannedStep
from core.record import RECORD_VERSION, Draft, SubtaskRecord, TaskRecord
from core.status import TaskStatus
from core.transition import Settled
from core.user import User

CHUNK = 200
"""How many subtasks or hosts one script call works on: a few milliseconds of the store's time at the most."""

SUSPECT = 2
"""So many losses of its worker make a subtask a suspect: a worker has one suspect at a time."""

LOST = -1
"""Where the counter of a worker stands that was called lost."""

TOO_MANY_LOSSES = 5
"""So many losses fail a subtask: two among others, three as a suspect."""

FIRST_USER_ID = 100
"""The number of the first user, as in OCP, where admin is 100."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How much of a step a message wants to claim."""

    limit: int
    """At most so many subtasks."""
    whole: bool = False
    """Whether the message claims the whole step, in several calls, and wants nobody beside it."""
    own: int | None = None
    """With `whole`: the token of the first subtask that this message claimed, from the second call on."""


@dataclass(frozen=True, slots=True)
class Once:
    """A client's word that a request is the same one as another with this key."""

    key: str
    """The client's, of this user alone."""
    digest: str
    """Hexadecimal: what is asked for. The same key for something else is refused."""


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing was stored: the request was made before and became this task, shown as it was accepted."""

    task: TaskRecord


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """Nothing was stored: the key stands for another request."""


class Course(StrEnum):
    """What a person wants of a task that failed."""

    RETRY = "retry"
    """Failed subtasks run again."""
    SKIP = "skip"
    """A failed subtask counts as successful: it runs once more as a no-op."""
    ROLLBACK = "roll back"
    """What was done is undone, step by step from the newest to the first. Of a whole task alone."""


@dataclass(frozen=True, slots=True)
class CourseChanged:
    """The course was changed: subtasks of this step became ready, and the step must be published."""

    step: int
    back: bool
    """Whether the task goes back from there, and not on."""


class Release(StrEnum):
    """What came of the wish to free a host from the task that holds it."""

    FREED = "freed"
    """It is free."""
    BUSY = "busy"
    """A run of the task works on it: nothing was changed."""
    MOVED = "moved"
    """Host or task were not as they were said to be: nothing was changed."""


@dataclass(frozen=True, slots=True)
class CourseRefused:
    """Nothing was changed."""

    status: str
    """Where the task, or the subtask where one was named, stands."""


@dataclass(frozen=True, slots=True)
class OpenLog:
    """What a run that goes on has done so far."""

    claim: ClaimKey
    """Under which it runs."""
    log: RunLog
    """Not closed."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A line of an inventory that was checked: how to reach a host, and what people call it."""

    target: Target
    alias: str | None


@dataclass(frozen=True, slots=True)
class NewHost:
    """A host that is about to be added; its id will be given by the store."""

    target: Target
    """How to reach it; what it says of the id does not count."""
    alias: str | None
    details: HostDetails


@dataclass(frozen=True, slots=True)
class HostsAdded:
    """Hosts were added, now or when the request was made before, each with a task of its own."""

    tasks: tuple[TaskRecord, ...]
    """As they were accepted, in the order of the hosts given."""
    host_ids: tuple[int, ...]
    """The hosts' ids, in the same order."""
    known: bool
    """Whether the request was made before, so that nothing was stored now."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """Nothing was stored: the host in this place of the request is in the inventory, or its alias is another's."""

    index: int
    host_id: int
    """Which host that is, or which host has the alias."""
    by_alias: bool


Adding = HostsAdded | AlreadyThere | KeyTaken


@dataclass(frozen=True, slots=True)
class HostQuery:
    """Which hosts a list shows, and in which order. A condition that is None lets every host pass."""

    statuses: frozenset[HostStatus] | None = None
    """Hosts with one of these statuses."""
    keyword: str | None = None
    """Hosts of which alias, address, description or serial number contains this, whatever the case of a to z."""
    with_agent: bool | None = None
    """Hosts with an agent, running or not; or (False) those without one."""
    ascending: bool = True
    """In rising order of ids, instead of falling."""

    @property
    def conditions(self) -> bool:
        """Whether there is any."""
        return (self.statuses, self.keyword, self.with_agent) != (None, None, None)


EVERY_HOST = HostQuery()


@dataclass(frozen=True, slots=True)
class HostPage:
    """A page of the inventory."""

    hosts: tuple[Host, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the way of work on some hosts; their ids are in the order in which they were given."""

    unknown: tuple[int, ...]
    """Those that are not in the inventory."""
    protected: tuple[int, ...]
    """Those that are protected."""
    braked: bool
    """Whether the fleet's brake is on."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit, newest first."""

    entries: tuple[AuditEntry, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter that lapses."""

    count: int
    """0 where nothing was counted, or it lapsed."""
    left: int
    """Milliseconds until it lapses; 0 where it did."""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks a list shows, and how many of them. A condition that is None lets every task pass."""

    statuses: frozenset[TaskStatus] | None = None
    """Tasks with one of these statuses."""
    types: frozenset[str] | None = None
    """Tasks of one of these types, by slug."""
    creator: str | None = None
    """Tasks of the user of this name."""
    host_id: int | None = None
    """Tasks about this single host."""
    offset: int = 0
    """So many tasks are passed over."""
    limit: int = 10
    """At most so many tasks are returned."""
    ascending: bool = False
    """Oldest first, instead of newest first."""


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of tasks."""

    tasks: tuple[TaskRecord, ...]
    total: int
    """How many tasks the conditions let pass."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is used."""

    keep_tasks: int = 30 * 24 * 3600 * 1000
    """For how many milliseconds a task that ended and holds no host is kept."""
    keep_once: int = 24 * 3600 * 1000
    """For how many milliseconds a client's key for a request holds."""
    keep_events: int = 3600 * 1000
    """For how many milliseconds the events of a task that ended are kept."""
    keep_audit: int = 100_000
    """So many entries of the audit are kept; the oldest go."""
    timeout: float = 5.0
    """Seconds to wait for an answer, and for a free connection."""
    connections: int = 64
    """At most so many connections from this process."""
    replicas: int = 0
    """A task counts as stored once so many replicas have it."""
    may_forget: bool = False
    """Whether a server that does not persist, or that evicts, is accepted."""


class Tasks(Protocol):
    """The tasks: their heads, subtasks, logs and hosts' holds."""

    async def create(self, draft: Draft) -> TaskRecord:
        """Store a task, its index entry, its first event and its audit entry, at once. Its first step is open."""

    async def create_once(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken:
        """Store a task like `create`, unless a request with the same key was made in the last 24 hours.

        Of any number of requests at the same time with the same key, one is stored.
        """

    async def create_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding:
        """Add hosts (at most `CHUNK`) and store a task for each of them, all at once or none.

        The hosts are NEW, without an agent, and get ids that no host has or had.

        Args:
            hosts: the hosts.
            draft: what the tasks have in common; its host ids and its audit entry do not count.
            once: as for `create_once`, for all of the tasks together.
        """

    async def withdraw(self, task_id: int) -> bool:
        """Remove a task that nobody has claimed anything of; False where somebody has."""

    async def head(self, task_id: int) -> TaskRecord | None:
        """Return a task's head, or None."""

    async def heads(self, task_ids: Sequence[int]) -> dict[int, TaskRecord]:
        """Return the heads of those of the tasks that exist, by id."""

    async def page(self, query: TaskQuery, now: int) -> TaskPage:
        """Return a page of tasks in id order. The cost hardly grows with the number of tasks."""

    async def events(self, task_id: int) -> tuple[TaskEvent, ...]:
        """Return the events of a task that are still kept, oldest first."""

    async def follow(self, cursors: Mapping[int, str], patience: float) -> dict[int, tuple[TaskEvent, ...]]:
        """Wait until something happened to one of several tasks, for at most `patience` seconds.

        For one caller at a time: the wait has one connection of its own.

        Args:
            cursors: by task id, the id of the last event that is known, or `core.event.NO_EVENT`.
            patience: less than the store's timeout.

        Returns:
            By task id, the events after those, oldest first; tasks to which nothing happened are left out.
        """

    async def host_ids(self, task_id: int) -> tuple[int, ...]:
        """Return a task's hosts in the order given."""

    async def subtasks(self, task: TaskRecord) -> dict[int, SubtaskRecord]:
        """Return the subtasks to which something happened, by seriesId."""

    async def many_subtasks(self, tasks: Sequence[TaskRecord]) -> dict[int, dict[int, SubtaskRecord]]:
        """Return what `subtasks` does for each of several tasks, by task id, in one round trip."""

    def every_log(self, task: TaskRecord) -> AsyncIterator[tuple[int, RunLog]]:
        """Yield the seriesId and the log of every run of every subtask, in order; a part is read at a time."""

    async def logs(self, task: TaskRecord, series_id: int) -> tuple[RunLog, ...]:
        """Return the logs of a subtask's runs, oldest first."""

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

    async def subtask(self, task: TaskRecord, series_id: int) -> SubtaskRecord | None:
        """Return what happened to one subtask; None where nothing did."""

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

    async def cancel(self, task: TaskRecord, now: int, series_id: int | None = None) -> CourseRefused | bool | None:
        """Have the run of a subtask abandoned, or with no subtask named the whole task stopped.

        A subtask must be RUNNING; its worker lets go within a beat or two and records it as FAILED. A task must be
        RUNNING: nothing new of it starts, what runs is cancelled, and what was ready counts as FAILED. Where the worker
        of a run is not alive, the run is FAILED at once.

        Returns:
            True where it was done; CourseRefused where it does not stand so; None where the task is gone.
        """

    async def note_logs(self, logs: Sequence[OpenLog]) -> None:
        """Keep what runs have done so far (at most `CHUNK` of them, of any tasks), in the place of their last logs.

        A log whose claim no longer stands is passed over; that of a run that is being cancelled is kept. Nothing but
        logs is changed: the tasks' changes and events stay as they are.
        """

    async def retake_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> tuple[Retaking, ...]:
        """Take hosts again (at most `CHUNK`, of one task) that the task gave back, and that nobody had since.

        What they were like before the task took them first is remembered again.

        Returns:
            What became of the host of each claim, in order. Taken also where the task holds the host anyway.
        """

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

    async def stands(self, claim: Claim) -> bool:
        """Return whether a claim still stands."""

    async def take_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> Taking:
        """Give the hosts of the claims (at most `CHUNK`, of one task) to their task: all of them or none.

        Remembers where each host and its agent stood and sets the new state. A host that the task already
        holds counts as taken.
        """

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


class Hosts(Protocol):
    """The inventory."""

    async def put(self, entries: Iterable[HostEntry], now: int) -> None:
        """Add hosts, or change how existing ones are reached. State, holder and a key that is not given stay."""

    async def page(self, offset: int, limit: int, query: HostQuery = EVERY_HOST) -> HostPage:
        """Return hosts in id order. With conditions every host is looked at, some hundred at a time."""

    async def get(self, host_ids: Sequence[int]) -> dict[int, Host]:
        """Return those of the hosts that exist, by id."""

    async def unknown(self, host_ids: Sequence[int]) -> tuple[int, ...]:
        """Return those of the ids that are not in the inventory, in the order given."""

    async def standing(self, host_ids: Sequence[int]) -> "Standing":
        """Return, in one look, all that may keep the hosts of a request from being worked on."""

    async def aliases(self) -> Mapping[str, int]:
        """Return every alias and the id of its host."""

    async def lease(self, host_ids: Sequence[int], lease: Lease) -> Leasing:
        """Lease hosts (at most `CHUNK`), all or none. Hosts that this lease has already count as leased, anew."""

    async def release(self, host_ids: Sequence[int], lease_id: str) -> None:
        """Give up a lease on hosts, as far as it still stands."""

    async def protect(self, host_ids: Sequence[int], now: int) -> Protecting:
        """Protect hosts (at most `CHUNK`), all or none: no task takes them, and nobody leases or removes them.

        Returns:
            Protected, of the last host, where all are protected now, or were; else what keeps one from it.
        """

    async def unprotect(self, host_ids: Sequence[int], now: int) -> tuple[int, ...]:
        """Lift the protection of hosts (at most `CHUNK`) and return those that were protected."""

    async def remove(self, host_ids: Sequence[int], lease_id: str | None = None) -> tuple[int, ...]:
        """Take hosts (at most `CHUNK`) out of the inventory, and all that is kept of them.

        Args:
            host_ids: which; those that a task holds stay, those that are protected, and those of another lease.
            lease_id: the lease under which this is done, where there is one; hosts without it stay then.

        Returns:
            The ids of those that are gone.
        """

    async def note_version(self, host_id: int, version: str, now: int) -> None:
        """Note the version of a host's agent; nothing happens where there is no such host."""

    async def pin(self, host_id: int, key: str, now: int, *, replace: bool) -> bool:
        """Pin a host's public key. Without `replace` a key that is already pinned stays, and False is returned."""


class Errands(Protocol):
    """What API processes have workers do while a client waits. All of it lapses by itself."""

    async def put(self, errand: Errand, lasts: int) -> None:
        """Keep an errand for so many milliseconds, until a worker claims it."""

    async def claim(self, errand_id: str) -> ClaimedErrand | None:
        """Take an errand: of any number of callers one gets it. None where it was taken, or nobody waits any more.

        While the fleet's brake is on nobody gets one that changes something; it stays until it lapses.
        """

    async def withdraw(self, errand_id: str) -> bool:
        """Take an errand back; False where a worker has claimed it."""

    async def answer(self, errand_id: str, answer: ErrandAnswer) -> None:
        """Hand in the answer. It is kept for a minute."""

    async def wait(self, errand_id: str, patience: float) -> ErrandAnswer | None:
        """Wait for the answer, for at most `patience` seconds, on a connection of its own; None where none came."""


class Workers(Protocol):
    """The worker processes: who they are and whether their counters move."""

    async def enrol(self, name: str) -> Worker:
        """Give a starting worker process its number."""

    async def beat(self, worker: Worker, alive_for: int) -> Beat:
        """Raise a worker's counter; it counts as alive for so many milliseconds. Brings back its cancelled claims."""

    async def beats(self) -> Mapping[Worker, int]:
        """Return the counter of every worker that is in the record, alive or not; `LOST` where it was called lost."""

    async def claims(self, worker: Worker) -> tuple[ClaimKey, ...]:
        """Return what a worker has claimed and not settled."""

    async def lead(
        self, worker: Worker, lapses: int, version: int = RECORD_VERSION, lost: Sequence[Worker] = ()
    ) -> bool:
        """Make a worker the one that reconciles for so many milliseconds, unless another one is.

        Args:
            worker: who asks.
            lapses: milliseconds.
            version: the newest form of a record that it knows: of those with the same there is one.
            lost: workers that are not waited for, nor is one that is gone: a right lapses by the clock of the store,
                which somebody may have set back.

        Returns:
            Whether it is the one.
        """

    async def condemn(self, worker: Worker, counter: int) -> bool:
        """Call a worker lost, unless it has beaten since its counter stood there.

        From then on it is granted nothing, and its next beat tells it that it is not known any more: before anything is
        taken from it, so that one that goes on after all is not at work beside whoever gets its hosts.

        Returns:
            Whether it is lost.
        """

    async def bury(self, worker: Worker) -> bool:
        """Take a worker that was lost, and whatever is left of it, out of the record, unless it has claims left.

        Claims of tasks that are gone do not count, and go. A worker that was buried is granted nothing any more.

        Returns:
            False where it has claims left, and stays: they must be taken from it first.
        """

    async def leave(self, worker: Worker) -> None:
        """Take a worker that stops out of the record. One that has claims left stays, and is found to be lost."""

    async def alive(self) -> tuple[Worker, ...]:
        """Return the workers that were alive a moment ago, by number."""


class Brakes(Protocol):
    """The fleet's brake. While it is on nobody begins to claim (`Tasks.advance`, `Errands.claim`).

    Results are recorded as ever.
    """

    async def pull(self, brake: Brake) -> Brake:
        """Put the brake on and return it as it stands: where it is on already, it stays as it is."""

    async def release(self) -> Brake | None:
        """Take the brake off and return what it was; None where it was not on."""

    async def get(self) -> Brake | None:
        """Return the brake where it is on, or None."""


class Users(Protocol):
    """Who may use the API."""

    async def put(self, user: User) -> bool:
        """Add a user and give it its number; False where the name is taken."""

    async def get(self, name: str) -> User | None:
        """Return a user, or None."""

    async def count(self) -> int:
        """Return how many users there are."""

    async def all(self) -> tuple[User, ...]:
        """Return the users, by name."""

    async def change(self, old: User, new: User | None) -> bool:
        """Put a user in the place of what was read of it before, or (None) remove it.

        The access keys of a user that is removed are worth nothing from then on.

        Returns:
            False where it is not the same any more, or where nobody would have the role ADMIN then: whoever asks at the
            same time, one user has it.
        """


class AccessKeys(Protocol):
    """The access keys of the users."""

    async def put(self, key: AccessKey) -> bool:
        """Add a key; False where its id is taken."""

    async def get(self, key_id: str) -> AccessKey | None:
        """Return a key, or None."""

    async def all(self) -> tuple[AccessKey, ...]:
        """Return the keys, oldest first."""

    async def remove(self, key_id: str) -> bool:
        """Remove a key; False where there is none."""


class Guard(Protocol):
    """Marks and counters that lapse by themselves, seen by all processes: what was sent before, who failed how often.

    Their names are of the caller's making and must be short.
    """

    async def mark(self, name: str, lapses: int) -> bool:
        """Set a mark for so many milliseconds; of several callers at once one gets True, the others False."""

    async def count(self, names: Sequence[str], lapses: int) -> tuple[int, ...]:
        """Add one to each counter and let it lapse in so many milliseconds from now; return the new counts."""

    async def counted(self, names: Sequence[str]) -> tuple[Counted, ...]:
        """Return the counters as they stand, in the order given."""

    async def clear(self, name: str) -> None:
        """Forget a counter."""


class Audit(Protocol):
    """Who did what: the newest `StoreOptions.keep_audit` entries."""

    async def append(self, entry: AuditEntry) -> int:
        """Keep an entry and return the number that it got."""

    async def page(self, offset: int, limit: int) -> AuditPage:
        """Return entries newest first, without the first `offset`."""


class Store(Protocol):
    """The record: the only place where anything is true."""

    @property
    def tasks(self) -> Tasks:
        """The tasks."""

    @property
    def hosts(self) -> Hosts:
        """The inventory."""

    @property
    def errands(self) -> Errands:
        """What workers do while a client waits."""

    @property
    def workers(self) -> Workers:
        """The worker processes."""

    @property
    def brake(self) -> Brakes:
        """The fleet's brake."""

    @property
    def users(self) -> Users:
        """The users."""

    @property
    def access_keys(self) -> AccessKeys:
        """The users' access keys."""

    @property
    def guard(self) -> Guard:
        """Marks and counters that lapse."""

    @property
    def audit(self) -> Audit:
        """Who did what."""

    async def check(self) -> None:
        """See that the store can be trusted to remember.

        Raises:
            Misconfigured: it may forget, evict, or spread keys over several primaries.
        """

    async def ping(self) -> None:
        """See that the store answers."""

    async def aclose(self) -> None:
        """Give the connections back."""
