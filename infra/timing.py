"""How the seconds of a worker's settings must stand to each other for nobody who lives to be taken for lost."""

from typing import Final

from core.errors import Misconfigured

MIN_BEATS: Final = 3
"""So many beats may be missing before it means anything. A worker trusts its claims for two without asking."""


def check_timing(*, beat_every: float, lost_after: float, alive_for: float, reconcile_every: float) -> None:
    """See that these settings of a worker, all in seconds, fit together.

    Raises:
        Misconfigured: they do not.
    """
    least = MIN_BEATS * beat_every
    for variable, seconds in (("OCPFLEET_LOST_AFTER", lost_after), ("OCPFLEET_ALIVE_FOR", alive_for)):
        if seconds < least:
            raise Misconfigured(
                f"{variable}={seconds:g}: less than {MIN_BEATS} beats of OCPFLEET_BEAT_EVERY={beat_every:g}, so "
                "a beat that is late would make a worker that lives count as gone. "
                f"Set {variable} to {least:g} or more, or OCPFLEET_BEAT_EVERY to {seconds / MIN_BEATS:g} or less."
            )
    if reconcile_every > lost_after:
        raise Misconfigured(
            f"OCPFLEET_RECONCILE_EVERY={reconcile_every:g}: lost workers are looked for less often than after "
            f"OCPFLEET_LOST_AFTER={lost_after:g} seconds. Set it to a fraction of that, {lost_after:g} at the most."
        )
