"""Chooses the next fault, so that each kind hits live claims often enough, even on a slow machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.observations import Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Mapping

MAX_LEAD = 1.0
"""Rounds by which one kind may lead another, as long as there is time to wait for the other."""


def draw_kind(worth: Collection[Kind], hits: Mapping[Kind, int], draws: random.Random, *, waiting: bool) -> Kind | None:
    """Draw one of the kinds that have hit live claims least often. A kind that hits a worker counts twice per round.

    Args:
        worth: the kinds that would hit live claims now.
        hits: the number of hits of each kind.
        draws: decides between kinds with the same number of hits.
        waiting: whether there is still time to wait for a kind that lags behind but would hit nothing now.

    Returns:
        The kind; None if it is better to wait.
    """
    if not worth:
        return None
    rounds = {kind: hits.get(kind, 0) / (2 if kind.of_worker else 1) for kind in Kind}
    fewest = min(rounds[kind] for kind in worth)
    if waiting and fewest > min(rounds.values()) + MAX_LEAD:
        return None
    return draws.choice([kind for kind in Kind if kind in worth and rounds[kind] == fewest])
