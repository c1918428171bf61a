"""Looks at all claims, and workers that went out of the record."""

from __future__ import annotations

from tests.chaos.observations import Burial
from tests.chaos.watch import Look, list_burials

BEFORE = Look(10.0, {4: "worker-1", 5: "worker-2"}, {4: frozenset({"7:1:1", "7:2:2"}), 5: frozenset()})


def test_a_worker_is_known_by_its_newest_number() -> None:
    look = Look(10.0, {**BEFORE.names, 6: "worker-1"}, {**BEFORE.claims, 6: frozenset({"8:1:1"})})
    assert (look.find_newest("worker-1"), look.count_claims("worker-1")) == (6, 1)
    assert (look.find_newest("worker-3"), look.count_claims("worker-3")) == (0, 0)
    assert look.all_live == 3


def test_a_worker_that_went_out_of_the_record_between_two_looks() -> None:
    lives = {4: "worker-1.2", 5: "worker-2.1", 6: "worker-1.3"}
    assert not list_burials(BEFORE, BEFORE, lives)
    assert list_burials(BEFORE, Look(10.5, {5: "worker-2", 6: "worker-1"}, {}), lives) == [
        Burial("worker-1.2", 10.0, 10.5)
    ]
