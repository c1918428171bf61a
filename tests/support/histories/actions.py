"""What can be done to a record, legal and illegal, and how a random history draws it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from core.host import RUNNING, STOPPED, HostState
from core.transition import Failed, Settled, Succeeded, Undone
from infra.store.task_values import Course

HOSTS = (1, 2, 3, 2**53 + 1, 2**63 - 1)
"""All but the last are in the inventory."""

indices = st.integers(0, 5)
few = st.lists(indices, max_size=2).map(tuple)


@dataclass(frozen=True)
class Create:
    """Accept a request. The first worker may claim its first step and take its hosts at once."""

    hosts: tuple[int, ...]
    holding: bool = False


@dataclass(frozen=True)
class Withdraw:
    """Withdraw a task, whether or not somebody has claimed anything of it."""

    task: int


@dataclass(frozen=True)
class Advance:
    """Settle some of the claims ever granted, stale ones and duplicates among them, then claim."""

    task: int
    step: int
    settled: tuple[tuple[int, type[Settled]], ...]
    limit: int | None
    whole: bool
    own: int | None
    second_worker: bool


@dataclass(frozen=True)
class Drain:
    """Claim and settle all of the current step, several times. In the last one a run may fail."""

    task: int
    times: int
    bad: bool


@dataclass(frozen=True)
class Take:
    """Take the hosts of the claims that stand, of some other claims, and perhaps of a forged one."""

    task: int
    others: tuple[int, ...]
    forged: bool


@dataclass(frozen=True)
class GiveBack:
    """Give back the hosts of the claims that stand, and of some other claims."""

    task: int
    others: tuple[int, ...]
    after: HostState | None


@dataclass(frozen=True)
class Turn:
    """Retry or skip a subtask, or retry or roll back a task, whether or not it failed."""

    task: int
    which: int | None
    course: Course


@dataclass(frozen=True)
class Cancel:
    """Cancel a subtask or a task, whether or not it runs. The first worker may beat before."""

    task: int
    which: int | None
    beating: bool


@dataclass(frozen=True)
class Retake:
    """Take the hosts of the claims that stand, and of some other claims, again."""

    task: int
    others: tuple[int, ...]


@dataclass(frozen=True)
class Free:
    """Release a host as an administrator does. What is known of its holder may be out of date."""

    task: int
    host: int
    state: HostState | None
    outdated: bool


@dataclass(frozen=True)
class Note:
    """Keep what some runs of a task, and one of any task, have done so far, whether or not they go on."""

    task: int
    which: tuple[int, ...]
    other: int


@dataclass(frozen=True)
class TakeAway:
    """Take claims from a worker, some that stand and some others. The worker may be lost."""

    task: int
    others: tuple[int, ...]
    lost: bool
    second_worker: bool


@dataclass(frozen=True)
class Bury:
    """Call the second worker lost, and take it out of the record if it has no claims left."""


@dataclass(frozen=True)
class Pull:
    """Pull the fleet's brake, or release it."""

    on: bool


@dataclass(frozen=True)
class Protect:
    """Protect a host, or lift its protection."""

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
    st.builds(Free, indices, st.sampled_from(HOSTS[:-1]), st.none() | st.just(STOPPED), st.booleans()),
)

histories = st.lists(actions, min_size=5, max_size=25)
