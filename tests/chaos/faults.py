"""The killing, and what a supervisor does after it."""

from __future__ import annotations

import math
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.draw import drawn
from tests.chaos.observations import Fault, Kind
from tests.chaos.rig import LOST_AFTER, WORKERS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from demo.supervisor import Child
    from tests.chaos.rig import Rig
    from tests.chaos.watch import Watch

_GAP = (0.5, 1.5)
_FRESH = 0.5
"""Seconds for which a look at the claims says whom a fault hits."""
_PATIENCE = 6.0
"""Seconds that is waited for a fault that hits live claims and whose kind did so least often; then any will do."""
_LONG = 45.0
"""Seconds after SIGTERM within which a process must have ended: an API once what it has in hand is answered, and a
worker, whose grace is a second, once its hosts are handed over."""
_FROZEN = 12.0
"""Most seconds that a worker stands still; it goes on once it is buried, and some time after that."""


@dataclass
class Faults:
    """Draws faults, makes them, and starts again what ended. Used by the main thread alone: children die with it."""

    rig: Rig
    watch: Watch
    draws: random.Random
    made: list[Fault] = field(default_factory=list)
    by_itself: Counter[str] = field(default_factory=Counter)
    """How often a process ended that nobody had touched; its supervisor starts it again."""
    breaches: list[str] = field(default_factory=list)
    """A sentence for each process that did not end, or did not come back, in time."""
    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _touched: dict[str, float] = field(default_factory=dict)
    """By name: processes that are down, frozen or ending, and since when."""
    _numbers: dict[str, int] = field(default_factory=dict)
    """By name: the number of the worker process that was hit last."""
    _started: dict[str, float] = field(default_factory=dict)
    """By name: when a process was started again."""
    _scheduled: set[str] = field(default_factory=set)
    """Names for which something is due."""
    _ending: set[str] = field(default_factory=set)
    """Names of processes that got SIGTERM and have not ended."""

    @property
    def hits(self) -> Counter[Kind]:
        """How often each kind hit live claims."""
        return Counter(fault.kind for fault in self.made if fault.claims)

    def torment(self, seconds: float, least: int) -> None:
        """Make faults.

        Args:
            seconds: for so long; up to half as long again where that did not do.
            least: so often each kind must hit live claims.
        """
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds or (
            passed < 1.5 * seconds and any(self.hits[kind] < least for kind in Kind)
        ):
            self._wait(self.draws.uniform(*_GAP))
            kind = self._next()
            if kind is not None:
                self._make(kind)

    def _next(self) -> Kind | None:
        """Wait for the kind that should come next, but not too long; None where nothing can be hit at all."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            kind = drawn(self._worth(), self.hits, self.draws, waiting=True)
            if kind is not None:
                return kind
            self._wait(0.05)
        return drawn(self._worth() or self._possible(), self.hits, self.draws, waiting=False)

    def mend(self, limit: float) -> None:
        """Wait until everything runs again; what does not within the limit, in seconds, is a breach."""
        end = time.monotonic() + limit
        while (self._due or self._touched) and time.monotonic() < end:
            self._wait(0.1)
        self.breaches += [f"{name} did not come back within {limit:g} s" for name in self._touched]

    def supervise(self) -> None:
        """Start again what ended by itself, and do what is due."""
        now = time.monotonic()
        for one in [one for one in self._due if one[0] <= now]:
            self._due.remove(one)
            one[1]()
        for child in (*self.rig.system.workers.values(), *self.rig.apis, self.rig.store, self.rig.broker):
            self._look_after(child, now)

    def _look_after(self, child: Child, now: float) -> None:
        since = self._touched.get(child.name)
        if child.ended is not None and child.name not in self._scheduled:
            if since is None:
                self.by_itself[f"{child.name} with {child.ended}"] += 1
            self._again(child, 0.3)
        elif since is not None and now - since > _LONG and child.ended is None and child.name in self._ending:
            self.breaches.append(f"{child.name} still ran {_LONG:g} s after SIGTERM")
            self._ending.discard(child.name)
        elif since is not None and self._is_back(child):
            del self._touched[child.name]

    def _is_back(self, child: Child) -> bool:
        if child.name in self._scheduled or child.name in self._ending or child.ended is not None:
            return False
        if child.name in WORKERS:
            return self.watch.latest.newest(child.name) > self._numbers.get(child.name, 0)
        answered = {self.rig.broker.name: math.inf, self.rig.store.name: self.watch.latest.at, **self.watch.answered}
        return answered.get(child.name, 0.0) > self._started.get(child.name, math.inf)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self.supervise()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.05, left))

    def _worth(self) -> set[Kind]:
        """Return the kinds that would hit live claims now."""
        look = self.watch.latest
        if time.monotonic() - look.at > _FRESH:
            return set()
        hit = {kind for kind in self._possible() if kind.of_worker and look.live(self._victim())}
        return hit | {kind for kind in self._possible() if not kind.of_worker and look.all_live}

    def _possible(self) -> set[Kind]:
        """Return the kinds for which there is a process that is up."""
        return {
            kind
            for kind in Kind
            if (self._victims() if kind.of_worker else self._child(kind).name not in self._touched)
        }

    def _victims(self) -> list[str]:
        return [name for name in WORKERS if name not in self._touched]

    def _victim(self) -> str:
        return max(self._victims(), key=self.watch.latest.live)

    def _child(self, kind: Kind) -> Child:
        if kind in {Kind.KILL_API, Kind.TERM_API}:
            return min(self.rig.apis, key=self._since_hit)
        return self.rig.store if kind is Kind.KILL_STORE else self.rig.broker

    def _since_hit(self, child: Child) -> tuple[bool, float]:
        """Return what is least for a process that is up and was not hit for the longest time."""
        return child.name in self._touched, max((one.at for one in self.made if one.victim == child.name), default=0.0)

    def _make(self, kind: Kind) -> None:
        child = self.rig.system.workers[self._victim()] if kind.of_worker else self._child(kind)
        look = self.watch.latest
        number = look.newest(child.name) if kind.of_worker else 0
        claims = len(look.claims.get(number, ())) if kind.of_worker else look.all_live
        victim = self.rig.who(child.name) if kind.of_worker else child.name
        fault = Fault(kind, time.monotonic(), victim, claims)
        self.made.append(fault)
        self._touched[child.name] = fault.at
        self._numbers[child.name] = number
        self._do(kind, child)
        self.watch.follow(fault, number)

    def _do(self, kind: Kind, child: Child) -> None:
        assert child.process is not None
        match kind:
            case Kind.FREEZE_WORKER:
                child.process.send_signal(signal.SIGSTOP)
                number = self._numbers[child.name]
                self._numbers[child.name] = 0  # it is the same process afterwards
                self._scheduled.add(child.name)
                self._thaw(child, number, time.monotonic(), self.draws.uniform(0.2, 2))
            case Kind.TERM_WORKER | Kind.TERM_API:
                child.process.terminate()
                self._ending.add(child.name)
            case _:
                child.process.kill()
                child.process.wait()
                self._again(child, self.draws.uniform(0.2, 1.5))

    def _thaw(self, child: Child, number: int, since: float, more: float) -> None:
        """Have a worker go on once it has been buried, and a while later; however it stands, not later than ever."""
        now = time.monotonic()
        if now - since < LOST_AFTER or (number in self.watch.latest.names and now - since < _FROZEN):
            self._due.append((now + 0.1, lambda: self._thaw(child, number, since, more)))
        elif more:
            self._due.append((now + more, lambda: self._thaw(child, number, since, 0)))
        else:
            assert child.process is not None
            child.process.send_signal(signal.SIGCONT)
            self._scheduled.discard(child.name)

    def _again(self, child: Child, after: float) -> None:
        self._touched.setdefault(child.name, time.monotonic())
        self._scheduled.add(child.name)
        self._ending.discard(child.name)

        def start() -> None:
            self.rig.start_again(child)
            self._started[child.name] = time.monotonic()
            self._scheduled.discard(child.name)

        self._due.append((time.monotonic() + after, start))
