"""Each invariant of the chaos program holds where all is well, and is broken here on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.record import SubtaskRecord
from core.status import Status
from tests.chaos import invariants
from tests.chaos.observations import Burial, Call, Claim, Fault, Host, Kind, Process, Task, Visit
from tests.support.records import draft


def visit(who: str, began: float, ended: float | None = None, *, host: int = 1, answer: str = "done") -> Visit:
    """Return a visit that stops the agent from its beginning to its end."""
    return Visit(host, who, began, ended, [Call("stop", began, ended, answer)])


def fault(victim: str = "worker-1.1", at: float = 1.5, kind: Kind = Kind.KILL_WORKER, claims: int = 1) -> Fault:
    return Fault(kind, at, victim, claims, 1.0)


def test_a_task_that_still_runs_has_not_ended() -> None:
    assert not invariants.find_open_tasks({1: "SUCCESSFUL", 2: "FAILED"})
    assert invariants.find_open_tasks({1: "SUCCESSFUL", 2: "RUNNING"}) == ["task 2 is RUNNING"]


def test_an_accepted_task_that_is_gone() -> None:
    assert not invariants.find_forgotten_tasks([1, 2], {1: "FAILED", 2: "SUCCESSFUL", 3: "SUCCESSFUL"})
    assert invariants.find_forgotten_tasks([1, 2], {1: "FAILED"}) == ["task 2 is gone"]


def test_counts_that_differ_from_the_subtasks() -> None:
    head = replace(draft((1, 2)).to_task(7, 70), counts={(0, Status.SUCCESSFUL): 1, (0, Status.RUNNING): 1})
    stored = {0: SubtaskRecord(Status.SUCCESSFUL), 1: SubtaskRecord(Status.RUNNING)}
    assert not invariants.find_wrong_counts(head, stored)
    assert len(invariants.find_wrong_counts(head, stored | {1: SubtaskRecord(Status.FAILED)})) == 2
    assert len(invariants.find_wrong_counts(head, {0: stored[0]})) == 2


def test_dead_workers_and_claims_that_are_left() -> None:
    names = {4: "worker-1", 5: "worker-2"}
    assert not invariants.find_unquiet_workers(names, {4: frozenset(), 5: frozenset()}, 2)
    assert len(invariants.find_unquiet_workers(names | {3: "worker-1"}, {}, 2)) == 1
    assert len(invariants.find_unquiet_workers({4: "worker-1"}, {}, 2)) == 1
    assert len(invariants.find_unquiet_workers(names, {4: {"7:1:1"}}, 2)) == 1


@pytest.mark.parametrize(("agent", "alive"), [("OFFLINE", True), ("AVAILABLE", False), ("STOPPING", True)])
def test_a_record_that_disagrees_with_the_host(agent: str, *, alive: bool) -> None:
    inventory = {1: Host("OFFLINE", None), 2: Host("AVAILABLE", None)}
    assert not invariants.find_disagreements(inventory, {1: False, 2: True})
    assert len(invariants.find_disagreements({1: Host(agent, None)}, {1: alive})) == 1


def test_a_persons_word_about_a_host_counts_but_a_status_in_between_does_not() -> None:
    assert not invariants.find_disagreements({1: Host("AVAILABLE", None)}, {1: False}, {1})
    assert len(invariants.find_disagreements({1: Host("AVAILABLE", None)}, {1: False}, {2})) == 1
    assert len(invariants.find_disagreements({1: Host("STOPPING", 7)}, {1: False}, {1})) == 1


def test_a_persons_word_counts_until_the_next_task_works_on_the_host() -> None:
    skipped = Task("SUCCESSFUL", (1, 2), {1: 1, 2: 1}, 10, "", frozenset({1}))
    looked = Task("SUCCESSFUL", (1, 2), {1: 1, 2: 1}, 20)
    assert invariants.list_skipped_hosts([skipped]) == {1}
    assert invariants.list_skipped_hosts([looked, skipped]) == set()
    assert invariants.list_skipped_hosts([skipped, replace(looked, finished=5)]) == {1}
    assert invariants.list_skipped_hosts([skipped, replace(looked, runs={2: 1})]) == {1}, "it never came to the host"


@pytest.mark.parametrize("statuses", [{7: "SUCCESSFUL"}, {7: "RUNNING"}, {}])
def test_a_host_that_is_held_by_a_task_that_did_not_fail(statuses: dict[int, str]) -> None:
    assert not invariants.find_wrong_holders({1: 7}, {7: "FAILED"})
    assert len(invariants.find_wrong_holders({1: 7}, statuses)) == 1


def test_a_host_that_is_held_after_everything_was_released() -> None:
    assert not invariants.find_held_hosts({1: Host("OFFLINE", None)})
    assert len(invariants.find_held_hosts({1: Host("OFFLINE", None), 2: Host("STOPPING", 7)})) == 1


def test_two_claims_of_a_host() -> None:
    claims = [Claim(1, 7, 1), Claim(1, 7, 2)]
    assert not invariants.find_double_claims(claims)
    assert len(invariants.find_double_claims([*claims, Claim(2, 8, 2)])) == 1
    assert len(invariants.find_double_claims([*claims, Claim(2, 7, 2)])) == 1


def test_a_command_without_a_run_or_a_loss() -> None:
    visits = [visit("worker-1.1", 1, 2), visit("worker-2.1", 8, 9)]
    once, twice = Task("SUCCESSFUL", (1,), {1: 1}), Task("SUCCESSFUL", (1,), {1: 2})

    def breaches(*faults: Fault) -> int:
        return len(invariants.find_repeated_commands([once], visits, invariants.list_losses(faults, [])))

    assert not invariants.find_repeated_commands([twice], visits, [])
    assert not invariants.find_repeated_commands([once, once], visits, [])
    assert breaches(fault()) == 0
    assert breaches() == 1
    assert breaches(fault(at=0.5)) == 1, "hit before it was there"
    assert breaches(fault(at=8.5)) == 1, "hit after the other one came"
    assert breaches(fault("worker-1.2")) == 1, "hit in another life"
    assert breaches(fault("api", kind=Kind.KILL_API)) == 1
    assert breaches(fault(at=0.5, kind=Kind.TERM_WORKER)) == 0, "it goes on for a while"
    assert breaches(fault(at=0.5, kind=Kind.FREEZE_WORKER)) == 0, "it was called lost and goes on"
    assert breaches(fault(at=-20, kind=Kind.FREEZE_WORKER)) == 1, "it was back long ago"


def test_the_work_of_a_lost_worker_may_be_repeated() -> None:
    visits, once = [visit("worker-1.1", 11, 12), visit("worker-2.1", 20, 21)], Task("SUCCESSFUL", (1,), {1: 1})

    def breaches(burial: Burial) -> int:
        return len(invariants.find_repeated_commands([once], visits, invariants.list_losses([], [burial])))

    assert breaches(Burial("worker-1.1", 18, 19)) == 0
    assert breaches(Burial("worker-1.1", 22, 23)) == 0, "its claims are opened before its number is gone"
    assert breaches(Burial("worker-1.1", 9, 10)) == 1, "it had another number by then"
    assert breaches(Burial("worker-1.1", 29, 30)) == 1, "the other one came before"
    assert breaches(Burial("worker-1.2", 18, 19)) == 1, "in another life"


def test_a_command_that_met_the_lock_does_not_count() -> None:
    visits = [visit("worker-1.1", 1, 2), visit("worker-2.1", 8, 9, answer="locked")]
    assert not invariants.find_repeated_commands([Task("SUCCESSFUL", (1,), {1: 1})], visits, [])


def test_a_visit_that_stops_twice() -> None:
    locked, stop = Call("stop", 1, 1, "locked"), Call("stop", 2, 3, "done")
    assert not invariants.find_insistent_visits([Visit(1, "worker-1.1", 1, 5, [locked, stop])])
    assert len(invariants.find_insistent_visits([Visit(1, "worker-1.1", 1, 5, [stop, replace(stop)])])) == 1


def test_commands_that_overlap_without_a_loss() -> None:
    earlier, later = visit("worker-1.1", 1, 5), visit("worker-2.1", 3, 6)
    reasons, breaches = invariants.find_overlaps([earlier, later], [])
    assert (dict(reasons), len(breaches)) == ({"none": 1}, 1)
    reasons, breaches = invariants.find_overlaps([earlier, later], invariants.list_losses([fault()], []))
    assert (dict(reasons), breaches) == ({f"after {Kind.KILL_WORKER}": 1}, [])
    gone = replace(earlier, ended=2.5)
    assert invariants.find_overlaps([gone, later], []) == ({"after it was let go": 1}, [])
    for apart in (visit("worker-2.1", 5, 6), visit("worker-2.1", 3, 6, host=2)):
        assert invariants.find_overlaps([earlier, apart], []) == ({}, [])


def test_a_command_that_never_ended_overlaps_with_all_later_ones() -> None:
    endless, later = visit("worker-1.1", 1), visit("worker-2.1", 30, 31)
    assert len(invariants.find_overlaps([endless, later], [])[1]) == 1


KEPT = ["hosts", "tasks", "tasks:indexed", "tasks:FAILED:batch_stop_agents", "seq:task", "workers", "alive:4"]
OF_TASK = ["task:7", "task:7:hosts", "task:7:subtasks:0", "task:7:logs:3", "task:7:losses", "task:7:again:2", "host:1"]


@pytest.mark.parametrize(
    "key",
    [
        *("claims:3", "claims:4", "alive:3", "cancels:4", "suspect:4", "busy:1", "errand:a", "errand:a:answer"),
        *("brake", "restoring", "task:8", "task:8:hosts", "task:7:other", "host:2", "unheard", "un:heard:of", ""),
    ],
)
def test_a_key_that_should_be_gone(key: str) -> None:
    assert not invariants.find_leaked_keys([*KEPT, *OF_TASK], {4}, {7}, {1})
    assert len(invariants.find_leaked_keys([*KEPT, *OF_TASK, key], {4}, {7}, {1})) == 1


def test_a_connection_that_is_open_in_the_end() -> None:
    assert not invariants.find_open_visits([visit("worker-1.1", 1, 2)])
    assert len(invariants.find_open_visits([visit("worker-1.1", 1)])) == 1


def test_an_unknown_process() -> None:
    worker = Process("worker-1", 10, "ocpfleet worker")
    assert not invariants.find_stray_processes([worker])
    assert len(invariants.find_stray_processes([worker, Process("", 11, "sh -c true")])) == 1


def test_connections_that_a_process_has_left_open() -> None:
    worker = Process("worker-1", 10, "ocpfleet worker", 0, 20)
    assert not invariants.find_open_connections([worker], 20)
    assert len(invariants.find_open_connections([worker], 19)) == 1
    assert len(invariants.find_open_connections([replace(worker, to_hosts=1)], 20)) == 1


def test_a_kind_of_fault_that_did_not_hit_claims_often_enough() -> None:
    faults = [fault(kind=kind) for kind in Kind for _ in range(2)]
    assert not invariants.find_missed_kinds(faults, 2)
    assert len(invariants.find_missed_kinds(faults, 3)) == len(Kind)
    assert len(invariants.find_missed_kinds([*faults[1:], replace(faults[0], claims=0)], 2)) == 1


def test_a_fault_without_recovery() -> None:
    assert not invariants.find_unrecovered_faults([fault()])
    assert len(invariants.find_unrecovered_faults([replace(fault(), recovered=None)])) == 1
