"""Which fault comes next: each kind must hit live claims often enough, on a slow machine too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.observations import Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Mapping

_AHEAD = 1.0
"""So many rounds one kind may be ahead of another, as long as there is time to wait for that one."""


def drawn(worth: Collection[Kind], hits: Mapping[Kind, int], draws: random.Random, *, waiting: bool) -> Kind | None:
    """Draw one of the kinds that hit live claims least often so far; each that hits a worker comes twice a round.

    Args:
        worth: the kinds that would hit live claims now.
        hits: how often each kind did.
        draws: decides between those that did equally often.
        waiting: whether there is still time to wait for a kind that lags behind and would hit nothing now.

    Returns:
        The kind; None where it is better to wait.
    """
    if not worth:
        return None
    rounds = {kind: hits.get(kind, 0) / (2 if kind.of_worker else 1) for kind in Kind}
    fewest = min(rounds[kind] for kind in worth)
    if waiting and fewest > min(rounds.values()) + _AHEAD:
        return None
    return draws.choice([kind for kind in Kind if kind in worth and rounds[kind] == fewest])
