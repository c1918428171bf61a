import pytest

from core.catalogue import TASK_TYPES
from core.plan import NO_PARALLEL_INDEX, Plan

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
        assert series_id in plan.step_of(series_id).series


@pytest.mark.parametrize("series_id", [-1, 23])
def test_a_number_outside_the_plan_is_refused(series_id: int) -> None:
    with pytest.raises(IndexError):
        Plan(BATCH_STOP, 7).step_of(series_id)


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
    assert plan.steps[-1].last
    assert list(plan.upstream(plan.steps[2])) == [3]


def test_two_parallel_steps_are_never_neighbours() -> None:
    for task_type in TASK_TYPES.values():
        pairs = zip(task_type.steps, task_type.steps[1:], strict=False)
        assert not any(before.per_host and after.per_host for before, after in pairs)
