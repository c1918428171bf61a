import pytest

from core.host import RESTARTING, RUNNING, STOPPED, STOPPING
from core.plan import NO_PARALLEL_INDEX, Plan
from core.task_types import TASK_TYPES

BATCH_STOP = TASK_TYPES["batch_stop_agents"]


def edges(plan: Plan) -> int:
    return sum(step.size * len(plan.downstream(step)) for step in plan)


@pytest.mark.parametrize("hosts", [1, 2, 1000, 10_000])
def test_a_batch_stop_has_three_subtasks_a_host_and_two_wait_nodes(hosts: int) -> None:
    plan = Plan(BATCH_STOP, hosts)
    assert plan.size == 3 * hosts + 2
    assert edges(plan) == 4 * hosts


def test_names_and_timeouts_are_those_of_ocp() -> None:
    assert [(step.step.name, step.step.timeout) for step in Plan(BATCH_STOP, 1)] == [
        ("Prepare stop OCP agent", 60),
        ("Wait node", 30),
        ("Stop all OCP agent processes", 600),
        ("Wait node", 30),
        ("Finish OCP agent operation", 60),
    ]


def test_every_number_belongs_to_exactly_one_step() -> None:
    plan = Plan(BATCH_STOP, 7)
    for series_id in range(plan.size):
        assert series_id in plan.find_step(series_id).series


@pytest.mark.parametrize("series_id", [-1, 23])
def test_a_number_outside_the_plan_is_refused(series_id: int) -> None:
    with pytest.raises(IndexError):
        Plan(BATCH_STOP, 7).find_step(series_id)


def test_parallel_index_is_the_hosts_place_and_minus_one_for_a_wait_node() -> None:
    plan = Plan(BATCH_STOP, 3)
    prepare, wait, stop, *_ = plan
    assert [prepare.parallel_index(series_id) for series_id in prepare.series] == [0, 1, 2]
    assert wait.parallel_index(wait.first) == NO_PARALLEL_INDEX
    assert [stop.parallel_index(series_id) for series_id in stop.series] == [0, 1, 2]


def test_the_first_step_has_nothing_before_it_and_the_last_nothing_after_it() -> None:
    plan = Plan(BATCH_STOP, 3)
    assert not plan.upstream(plan.steps[0])
    assert not plan.downstream(plan.steps[-1])
    assert plan.steps[-1].is_last
    assert list(plan.upstream(plan.steps[2])) == [3]


def test_two_parallel_steps_are_never_neighbours() -> None:
    for task_type in TASK_TYPES.values():
        pairs = zip(task_type.steps, task_type.steps[1:], strict=False)
        assert not task_type.parallel or not any(before.per_host and after.per_host for before, after in pairs)


@pytest.mark.parametrize(
    ("slug", "a_host", "waits"),
    [("batch_stop_agents", 3, 2), ("batch_restart_agents", 5, 4), ("batch_start_agents", 3, 2)],
)
@pytest.mark.parametrize("hosts", [1, 3, 10_000])
def test_a_task_for_many_hosts_has_a_wait_node_between_any_two_steps(
    slug: str, a_host: int, waits: int, hosts: int
) -> None:
    plan = Plan(TASK_TYPES[slug], hosts)
    assert plan.size == a_host * hosts + waits
    assert edges(plan) == 2 * waits * hosts
    assert [list(plan.parallel_indices(step)) for step in plan] == [
        list(range(hosts)) if step.step.per_host else [NO_PARALLEL_INDEX] for step in plan
    ]


@pytest.mark.parametrize(("slug", "subtasks"), [("stop_agent", 3), ("restart_agent", 5), ("start_agent", 3)])
def test_a_task_for_one_host_is_a_plain_row(slug: str, subtasks: int) -> None:
    plan = Plan(TASK_TYPES[slug], 1)
    assert plan.size == subtasks
    assert edges(plan) == subtasks - 1
    assert "Wait node" not in [step.step.name for step in plan]
    assert [list(plan.parallel_indices(step)) for step in plan] == [[NO_PARALLEL_INDEX]] * subtasks
    assert [step.parallel_index(step.first) for step in plan] == [0] * subtasks


def test_the_steps_of_a_restart_are_those_of_ocp() -> None:
    batch, single = Plan(TASK_TYPES["batch_restart_agents"], 1), Plan(TASK_TYPES["restart_agent"], 1)
    assert [(step.step.name, step.step.timeout) for step in batch] == [
        ("Prepare restart OCP agent", 60),
        ("Wait node", 30),
        ("Restart pos proxy", 60),
        ("Wait node", 30),
        ("Stop all OCP agent processes", 600),
        ("Wait node", 30),
        ("Start all OCP agent processes", 600),
        ("Wait node", 30),
        ("Finish OCP agent operation", 60),
    ]
    assert [step.step for step in single] == [step.step for step in batch if step.step.per_host]


def test_each_task_type_says_where_it_leaves_agent_and_host() -> None:
    stopped = (STOPPING, STOPPED)
    running = (RESTARTING, RUNNING)
    expected = {
        "batch_stop_agents": stopped,
        "stop_agent": stopped,
        "batch_restart_agents": running,
        "restart_agent": running,
        "batch_start_agents": running,
        "start_agent": running,
    }
    types = [TASK_TYPES[slug] for slug in expected]
    assert {one.slug: (one.during, one.after) for one in types} == expected
