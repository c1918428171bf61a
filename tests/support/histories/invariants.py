"""What is true of a record at every moment, and of every change from one moment to the next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from core.claim import ClaimKey
from core.host import STOPPING
from core.progress import compute_progress
from core.status import Status, TaskStatus
from core.transition import GOING_ON, MOVES, Move

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from core.event import TaskEvent
    from core.record import SubtaskRecord, TaskRecord
    from tests.support.histories.snapshot import Change, Snapshot

Pair = tuple[Status, Status]
"""Where a subtask stood before a call, and where it stands after it."""

OPEN: Final = frozenset({Status.READY, Status.RUNNING, Status.CANCELING})
"""The statuses of a subtask that is still to be run, or runs."""


def pairs(*moves: Move) -> frozenset[Pair]:
    """Return from where to where these moves lead."""
    return frozenset((source, MOVES[move].target) for move in moves for source in MOVES[move].sources)


OPENED: Final = frozenset({(Status.PENDING, Status.READY), (Status.SUCCESSFUL, Status.READY)})
"""A step is opened, or its undoing begins."""
UNDOING: Final = frozenset({(Status.RUNNING, Status.PENDING), (Status.SUCCESSFUL, Status.READY)})
"""Moves that only a rollback makes."""

NO_MOVE: Final[frozenset[Pair]] = frozenset()
ADVANCE: Final = pairs(Move.CLAIM, Move.SUCCEED, Move.UNDO, Move.FAIL, Move.CANCEL) | OPENED
CHANGE_COURSE: Final = pairs(Move.RETRY, Move.SKIP, Move.ASK_ROLLBACK)
CANCEL: Final = pairs(Move.ASK_CANCEL, Move.CALL_OFF, Move.FAIL)
REOPEN: Final = pairs(Move.LOSE, Move.CANCEL, Move.FAIL)


def check_moves(change: Change, allowed: frozenset[Pair]) -> None:
    """Check that each subtask made one of the allowed moves at most, and that nothing else of it was lost.

    Args:
        change: what a call changed.
        allowed: the moves that this kind of call may make.
    """
    for (task_id, series_id), move in change.moves.items():
        assert move in allowed, (task_id, series_id, move)
        assert move not in UNDOING or change.after.heads[task_id].is_rollback, (task_id, series_id, move)
    for place, now in change.after.subtasks.items():
        was = change.before.subtasks.get(place)
        if was is None:
            assert now.status in {Status.PENDING, Status.READY}, "a new task has not been run"
            continue
        assert now.run_time in {was.run_time, was.run_time + 1}, (place, was, now)
        assert now.run_time == was.run_time or now.status is Status.READY, (place, was, now)
        assert now.touched or not was.touched, (place, was, now)
        assert now.started == was.started or was.started is None, (place, was, now)


def check_snapshot(snapshot: Snapshot) -> None:
    """Check that the parts of a record agree with each other."""
    _check_hosts(snapshot)
    for head in snapshot.heads.values():
        stored = snapshot.stored[head.id]
        subtasks = {sid: snapshot.subtasks[head.id, sid] for sid in range(head.plan.size)}
        _check_counts(head, stored, subtasks)
        _check_task_status(head, subtasks)
        _check_tokens(stored)


def check_events(head: TaskRecord, stored: Mapping[int, SubtaskRecord], events: Sequence[TaskEvent]) -> None:
    """Check that the events of a task, read from the first, lead to where it stands."""
    assert head.changes == len(events)
    statuses: dict[int, Status] = {}
    for event in events:
        for status, spans in event.changed.items():
            statuses |= {sid: status for first, last in spans for sid in range(first, last + 1)}
    assert statuses == {sid: one.status for sid, one in stored.items()}
    assert [event.task for event in events if event.task is not None][-1] is head.status
    assert [event.opened for event in events if event.opened is not None][-1] == head.opened
    assert [None, *(event.rollback_step for event in events if event.rollback_step is not None)][
        -1
    ] == head.rollback_step


def _check_hosts(snapshot: Snapshot) -> None:
    holders = Counter(host.holder for host in snapshot.hosts.values() if host.holder is not None)
    assert holders == +Counter(snapshot.held), "a task holds as many hosts as name it as their holder"
    for host in snapshot.hosts.values():
        assert host.holder is None or not host.protected, host
        assert host.holder is None or host.state == STOPPING, host


def _check_counts(head: TaskRecord, stored: Mapping[int, SubtaskRecord], subtasks: Mapping[int, SubtaskRecord]) -> None:
    find_step = head.plan.find_step
    assert +Counter(head.counts) == Counter((find_step(sid).index, one.status) for sid, one in stored.items())
    shown = Counter(
        {(i, status): n for i, step in enumerate(compute_progress(head)) for status, n in step.by_status.items()}
    )
    assert +shown == Counter((find_step(sid).index, one.status) for sid, one in subtasks.items())


def _check_task_status(head: TaskRecord, subtasks: Mapping[int, SubtaskRecord]) -> None:
    statuses = {one.status for one in subtasks.values()}
    if statuses & OPEN:
        assert head.status is TaskStatus.RUNNING, head
    elif Status.FAILED in statuses:
        assert head.status is TaskStatus.FAILED, head
    else:
        assert head.status is TaskStatus.SUCCESSFUL, head
        assert statuses == {Status.PENDING if head.is_rollback else Status.SUCCESSFUL}, head
    assert head.status is TaskStatus.RUNNING or head.finished is not None, head
    assert not head.turning, "every change of course comes to its end"
    for planned in head.plan:
        of_step = {subtasks[sid].status for sid in planned.series}
        assert planned.index >= head.current_step or of_step == {Status.SUCCESSFUL}, (planned, head)
        assert planned.index <= head.current_step or of_step == {Status.PENDING}, (planned, head)


def check_workers(snapshot: Snapshot, reported: AbstractSet[ClaimKey]) -> None:
    """Check that what runs is claimed by the worker that runs it, and by nobody else.

    Args:
        snapshot: the record.
        reported: claims of which somebody handed in a result, recorded or not; their worker need not hold them.
    """
    held = {
        (worker.name, one) for worker, claims in snapshot.claims.items() for one in claims if snapshot.is_under(one)
    }
    running = {
        (one.executor, ClaimKey(task_id, series_id, one.token))
        for task_id, stored in snapshot.stored.items()
        for series_id, one in stored.items()
        if one.token is not None
    }
    assert held <= running
    assert {claim for _, claim in running - held} <= reported


def _check_tokens(stored: Mapping[int, SubtaskRecord]) -> None:
    for series_id, one in stored.items():
        assert (one.token is not None) == (one.status in GOING_ON), (series_id, one)
        assert one.finished is None or one.started is None or one.finished >= one.started, (series_id, one)
    tokens = [one.token for one in stored.values() if one.token is not None]
    assert len(tokens) == len(set(tokens)), "no two subtasks run under one token"
