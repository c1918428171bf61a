"""What accepting a request costs. No worker runs, so that it is the API and the store alone that are measured."""

import time
from collections.abc import Callable, Sequence

from bench import system as fleet
from bench.bench import Bench, in_turn, medians
from bench.finding import Finding, Goal

_EMPTY_ROUTE = "/healthz"
"""Passes the same middleware of the same server and asks the store nothing."""
_QUIET = 0.02
"""Seconds before each request in which the server does what is left of the one before: it publishes after its reply."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Accept one host, many hosts, and nothing at all, in turn."""
    sizes = bench.sizes
    everyone = range(1, sizes.many + 1)
    with fleet.running(bench.directory / "accept", workers=0, patience=sizes.patience) as system:
        api = system.api
        system.add_hosts(fleet.stub_targets(sizes.many))
        api.timed_stop([1])  # the password is hashed once a minute
        empty, one = medians(
            in_turn(sizes.requests, _rested(lambda: api.timed_get(_EMPTY_ROUTE)), _rested(lambda: api.timed_stop([1]))),
        )
        alone, many = medians(
            in_turn(
                max(3, sizes.requests // 20),
                _rested(lambda: api.timed_stop([1])),
                _rested(lambda: api.timed_stop(everyone)),
            )
        )
    small = {"empty_route_p50_ms": empty * 1000, "accept_1_p50_ms": one * 1000, "requests": sizes.requests}
    big = {"accept_1_p50_ms": alone * 1000, f"accept_{sizes.many}_p50_ms": many * 1000}
    return [
        Finding("accept 1 host, p50 over HTTP, against an empty route", Goal(3, "x"), one / empty, small),
        Finding(f"accept {sizes.many:,} hosts against 1 host", Goal(60, "x"), many / alone, big),
    ]


def _rested(timed: Callable[[], float]) -> Callable[[], float]:
    """Return a measurement of a server that has nothing else to do, so that none pays for the one before."""

    def rested() -> float:
        time.sleep(_QUIET)
        return timed()

    return rested
