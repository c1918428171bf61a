"""The draw of faults: every kind hits often enough, whichever can be hit at a time."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.chaos.draw import draw_kind
from tests.chaos.main import count_least_hits
from tests.chaos.observations import Kind

WORKERS = {kind for kind in Kind if kind.of_worker}


def draws() -> random.Random:
    return random.Random(1)


def test_kinds_come_in_turn_and_those_of_workers_twice() -> None:
    hits: Counter[Kind] = Counter()
    chance = draws()
    for _ in range(5 * (len(Kind) + len(WORKERS))):
        kind = draw_kind(set(Kind), hits, chance, waiting=True)
        assert kind is not None
        hits[kind] += 1
    assert hits == {kind: 10 if kind in WORKERS else 5 for kind in Kind}


def test_the_draw_waits_for_a_kind_that_lags_behind() -> None:
    servers = set(Kind) - WORKERS
    one_ahead = dict.fromkeys(WORKERS, 6) | dict.fromkeys(servers, 4)
    far_ahead = one_ahead | dict.fromkeys(servers, 5)
    assert draw_kind(servers, one_ahead, draws(), waiting=True) in servers
    assert draw_kind(servers, far_ahead, draws(), waiting=True) is None
    assert draw_kind(servers, far_ahead, draws(), waiting=False) in servers
    assert draw_kind(set(Kind), far_ahead, draws(), waiting=True) in WORKERS


def test_if_nothing_would_be_hit_no_kind_is_drawn() -> None:
    assert draw_kind(set(), Counter(), draws(), waiting=False) is None


@pytest.mark.parametrize(("minutes", "least"), [(0.1, 1), (1, 2), (2, 5), (3, 7), (30, 75)])
def test_how_often_each_kind_must_hit(minutes: float, least: int) -> None:
    assert count_least_hits(minutes) == least
