"""Checks that the times in a worker's settings fit together, so that no live worker counts as lost."""

from typing import Final

from core.errors import Misconfigured

MIN_BEATS: Final = 3
"""The fewest beats that may be missing before it means anything. A worker trusts its claims for two."""


def check_timing(*, beat_every: float, lost_after: float, alive_for: float, reconcile_every: float) -> None:
    """Check that these settings of a worker, all in seconds, fit together.

    Raises:
        Misconfigured: they contradict each other.
    """
    least = MIN_BEATS * beat_every
    for variable, seconds in (("OCPFLEET_LOST_AFTER", lost_after), ("OCPFLEET_ALIVE_FOR", alive_for)):
        if seconds < least:
            raise Misconfigured(
                f"{variable}={seconds:g}: less than {MIN_BEATS} beats of OCPFLEET_BEAT_EVERY={beat_every:g}, so "
                "one late beat would make a live worker count as lost. "
                f"Set {variable} to {least:g} or more, or OCPFLEET_BEAT_EVERY to {seconds / MIN_BEATS:g} or less."
            )
    if reconcile_every > lost_after:
        raise Misconfigured(
            f"OCPFLEET_RECONCILE_EVERY={reconcile_every:g}: longer than OCPFLEET_LOST_AFTER={lost_after:g}, so lost "
            f"workers would be found late. Set it to a fraction of that, {lost_after:g} at the most."
        )
