"""The cost of accepting a request. No worker runs, so that only the API and the store are measured."""

import time
from collections.abc import Callable, Sequence

from bench.bench import Bench, compute_medians, measure_in_turn
from bench.finding import Finding, Goal
from bench.system import make_stub_targets, run_system

_EMPTY_ROUTE = "/healthz"
"""A route with the same middleware that does not use the store."""
_QUIET = 0.02
"""Seconds before each request. The server publishes after its reply, and finishes that in this time."""


def measure(bench: Bench) -> Sequence[Finding]:
    """Accept one host, accept many hosts, and request an empty route, in turn."""
    sizes = bench.sizes
    everyone = range(1, sizes.many + 1)
    with run_system(bench.directory / "accept", workers=0, patience=sizes.patience) as system:
        api = system.api
        system.add_hosts(make_stub_targets(sizes.many))
        api.time_stop([1])  # the password is hashed once a minute
        empty, one = compute_medians(
            measure_in_turn(
                sizes.requests, _let_rest(lambda: api.time_get(_EMPTY_ROUTE)), _let_rest(lambda: api.time_stop([1]))
            ),
        )
        alone, many = compute_medians(
            measure_in_turn(
                max(3, sizes.requests // 20),
                _let_rest(lambda: api.time_stop([1])),
                _let_rest(lambda: api.time_stop(everyone)),
            )
        )
    small = {"empty_route_p50_ms": empty * 1000, "accept_1_p50_ms": one * 1000, "requests": sizes.requests}
    big = {"accept_1_p50_ms": alone * 1000, f"accept_{sizes.many}_p50_ms": many * 1000}
    return [
        Finding("accept 1 host, p50 over HTTP, against an empty route", Goal(3, "x"), one / empty, small),
        Finding(f"accept {sizes.many:,} hosts against 1 host", Goal(60, "x"), many / alone, big),
    ]


def _let_rest(measure: Callable[[], float]) -> Callable[[], float]:
    """Return a measurement that first lets the server finish the work of the one before."""

    def wait_and_measure() -> float:
        time.sleep(_QUIET)
        return measure()

    return wait_and_measure
