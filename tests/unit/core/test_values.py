import shlex

import pytest

from core.command import MASK, Command, Secret
from core.errors import UnknownHosts
from core.journal import OUTPUT_LIMIT, Journal, Level, clip
from core.outcome.reach import Unreachable
from core.outcome.stop import AlreadyStopped
from core.progress import compute_progress
from core.record import Creator, TaskRecord
from core.status import Operation, Status, TaskStatus
from core.user import Permission, Role, User


def test_every_word_of_a_command_stays_one_word() -> None:
    words = ("/home/a b/ocp_agentctl", "stop; rm -rf /", "$(id)", "it's", "")
    assert tuple(shlex.split(Command.of(*words).render())) == words


def test_a_secret_reaches_the_host_and_nobody_else() -> None:
    command = Command.of("login", Secret("hunter2"))
    assert "hunter2" in command.render()
    for shown in (command.render_masked(), str(command), repr(command)):
        assert "hunter2" not in shown
        assert MASK in shown


def test_a_long_output_keeps_its_head_and_its_tail() -> None:
    clipped = clip("h" * OUTPUT_LIMIT + "t" * OUTPUT_LIMIT)
    assert clipped.startswith("h" * (OUTPUT_LIMIT // 2))
    assert clipped.endswith("t" * (OUTPUT_LIMIT // 2))
    assert f"{OUTPUT_LIMIT} bytes left out" in clipped


def test_clipping_in_the_middle_of_a_character_leaves_text() -> None:
    assert "�" not in clip("é" * OUTPUT_LIMIT)


def test_a_journal_tells_times_and_levels() -> None:
    ticks = iter(range(100, 200))
    journal = Journal(lambda: next(ticks))
    journal.add_outcome(AlreadyStopped())
    journal.add_outcome(Unreachable("10.0.0.1:22", "connection refused"))
    assert [(line.at, line.level) for line in journal.lines] == [(100, Level.INFO), (101, Level.ERROR)]


def make_task(opened: int, counts: dict[tuple[int, Status], int]) -> TaskRecord:
    return TaskRecord(
        id=1,
        version=1,
        type_slug="batch_stop_agents",
        host_count=4,
        first_subtask_id=1,
        creator=Creator(100, "admin"),
        executor="127.0.0.1",
        trace_id="0" * 16,
        status=TaskStatus.RUNNING,
        operation=Operation.EXECUTE,
        started=0,
        finished=None,
        opened=opened,
        counts=counts,
    )


def test_progress_counts_what_nothing_happened_to_as_ready_or_pending() -> None:
    counts = {(0, Status.SUCCESSFUL): 4, (1, Status.SUCCESSFUL): 1, (2, Status.RUNNING): 1, (2, Status.FAILED): 1}
    steps = compute_progress(make_task(2, counts))
    assert [step.by_status for step in steps] == [
        {Status.SUCCESSFUL: 4},
        {Status.SUCCESSFUL: 1},
        {Status.RUNNING: 1, Status.FAILED: 1, Status.READY: 2},
        {Status.PENDING: 1},
        {Status.PENDING: 4},
    ]
    assert steps[2].settled == 1


@pytest.mark.parametrize(
    ("role", "permission", "may"),
    [
        (Role.ADMIN, Permission.TASK_CHANGE, True),
        (Role.HOST_MANAGER, Permission.HOST_CHANGE, True),
        (Role.HOST_MANAGER, Permission.TASK_READ, False),
        (Role.HOST_VIEWER, Permission.HOST_READ, True),
        (Role.HOST_VIEWER, Permission.HOST_CHANGE, False),
        (Role.TASK_VIEWER, Permission.TASK_READ, True),
        (Role.TASK_VIEWER, Permission.TASK_CHANGE, False),
    ],
)
def test_a_role_grants_what_it_grants_in_ocp(role: Role, permission: Permission, *, may: bool) -> None:
    assert User(1, "u", "hash", frozenset({role})).may(permission) is may


def test_unknown_hosts_are_named_up_to_twenty() -> None:
    sentence = str(UnknownHosts(tuple(range(1, 31))))
    assert ", 20 and 10 more" in sentence
    assert "21" not in sentence
