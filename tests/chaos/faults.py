"""Makes faults, and restarts processes as a supervisor does."""

from __future__ import annotations

import math
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.draw import draw_kind
from tests.chaos.observations import Fault, Kind
from tests.chaos.rig import LOST_AFTER, WORKERS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from demo.supervisor import Child
    from tests.chaos.rig import Rig
    from tests.chaos.watch import Watch

_GAP = (0.5, 1.5)
"""Seconds between two faults."""
MAX_LOOK_AGE = 0.5
"""Seconds for which a look at the claims is recent enough to say which claims a fault would hit."""
MAX_WAIT = 6.0
"""Seconds to wait until the kind that lags behind would hit live claims; after that, any kind is used."""
MAX_SHUTDOWN = 45.0
"""Seconds after SIGTERM until a process must have ended: an API after it has answered its requests, and a worker, whose
grace is a second, after it has handed over its hosts."""
MAX_FREEZE = 12.0
"""Seconds until a stopped worker goes on; usually it does soon after it was called lost."""


@dataclass
class Faults:
    """Draws and makes faults, and restarts processes that ended.

    Only the main thread may use it, since child processes die with the thread that started them.
    """

    rig: Rig
    watch: Watch
    draws: random.Random
    made: list[Fault] = field(default_factory=list)
    by_itself: Counter[str] = field(default_factory=Counter)
    """The number of times that a process ended without a fault, by its name and exit status."""
    breaches: list[str] = field(default_factory=list)
    """A sentence for each process that did not end or did not come back in time."""
    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _touched: dict[str, float] = field(default_factory=dict)
    """The time since which a process is down, stopped or ending, by its name."""
    _numbers: dict[str, int] = field(default_factory=dict)
    """The number of the worker process that was hit last, by the worker's name."""
    _started: dict[str, float] = field(default_factory=dict)
    """The time of the last restart of a process, by its name."""
    _scheduled: set[str] = field(default_factory=set)
    """Names of processes with a scheduled action."""
    _ending: set[str] = field(default_factory=set)
    """Names of processes that got SIGTERM and have not ended yet."""

    @property
    def hits(self) -> Counter[Kind]:
        """The number of times that each kind hit live claims."""
        return Counter(fault.kind for fault in self.made if fault.claims)

    def make_faults(self, seconds: float, least: int) -> None:
        """Make faults.

        Args:
            seconds: how long; up to half as long again if a kind still lacks hits.
            least: the number of times that each kind must hit live claims.
        """
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds or (
            passed < 1.5 * seconds and any(self.hits[kind] < least for kind in Kind)
        ):
            self._wait(self.draws.uniform(*_GAP))
            kind = self._choose_kind()
            if kind is not None:
                self._make(kind)

    def _choose_kind(self) -> Kind | None:
        """Wait for the kind that should come next, but not too long; return None if no process can be hit."""
        until = time.monotonic() + MAX_WAIT
        while time.monotonic() < until:
            kind = draw_kind(self._list_worthwhile(), self.hits, self.draws, waiting=True)
            if kind is not None:
                return kind
            self._wait(0.05)
        return draw_kind(self._list_worthwhile() or self._list_possible(), self.hits, self.draws, waiting=False)

    def wait_for_recovery(self, limit: float) -> None:
        """Wait up to `limit` seconds until everything runs again; a process that does not is a breach."""
        end = time.monotonic() + limit
        while (self._due or self._touched) and time.monotonic() < end:
            self._wait(0.1)
        self.breaches += [f"{name} did not come back within {limit:g} s" for name in self._touched]

    def supervise(self) -> None:
        """Restart processes that ended by themselves, and carry out actions that are due."""
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
            self._schedule_restart(child, 0.3)
        elif since is not None and now - since > MAX_SHUTDOWN and child.ended is None and child.name in self._ending:
            self.breaches.append(f"{child.name} still ran {MAX_SHUTDOWN:g} s after SIGTERM")
            self._ending.discard(child.name)
        elif since is not None and self._is_back(child):
            del self._touched[child.name]

    def _is_back(self, child: Child) -> bool:
        if child.name in self._scheduled or child.name in self._ending or child.ended is not None:
            return False
        if child.name in WORKERS:
            return self.watch.latest.find_newest(child.name) > self._numbers.get(child.name, 0)
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

    def _list_worthwhile(self) -> set[Kind]:
        """Return the kinds that would hit live claims now."""
        look = self.watch.latest
        if time.monotonic() - look.at > MAX_LOOK_AGE:
            return set()
        hit = {kind for kind in self._list_possible() if kind.of_worker and look.count_claims(self._choose_victim())}
        return hit | {kind for kind in self._list_possible() if not kind.of_worker and look.all_live}

    def _list_possible(self) -> set[Kind]:
        """Return the kinds for which a process runs that can be hit."""
        return {
            kind
            for kind in Kind
            if (self._list_victims() if kind.of_worker else self._choose_child(kind).name not in self._touched)
        }

    def _list_victims(self) -> list[str]:
        return [name for name in WORKERS if name not in self._touched]

    def _choose_victim(self) -> str:
        return max(self._list_victims(), key=self.watch.latest.count_claims)

    def _choose_child(self, kind: Kind) -> Child:
        if kind in {Kind.KILL_API, Kind.TERM_API}:
            return min(self.rig.apis, key=self._rank_api)
        return self.rig.store if kind is Kind.KILL_STORE else self.rig.broker

    def _rank_api(self, child: Child) -> tuple[bool, float]:
        """Return a key that is lowest for the running API that was hit longest ago."""
        return child.name in self._touched, max((one.at for one in self.made if one.victim == child.name), default=0.0)

    def _make(self, kind: Kind) -> None:
        child = self.rig.system.workers[self._choose_victim()] if kind.of_worker else self._choose_child(kind)
        look = self.watch.latest
        number = look.find_newest(child.name) if kind.of_worker else 0
        claims = len(look.claims.get(number, ())) if kind.of_worker else look.all_live
        victim = self.rig.name_life(child.name) if kind.of_worker else child.name
        fault = Fault(kind, time.monotonic(), victim, claims)
        self.made.append(fault)
        self._touched[child.name] = fault.at
        self._numbers[child.name] = number
        self._do(kind, child)
        self.watch.track(fault, number)

    def _do(self, kind: Kind, child: Child) -> None:
        assert child.process is not None
        match kind:
            case Kind.FREEZE_WORKER:
                child.process.send_signal(signal.SIGSTOP)
                number = self._numbers[child.name]
                self._numbers[child.name] = 0  # the same process goes on afterwards
                self._scheduled.add(child.name)
                self._thaw(child, number, time.monotonic(), self.draws.uniform(0.2, 2))
            case Kind.TERM_WORKER | Kind.TERM_API:
                child.process.terminate()
                self._ending.add(child.name)
            case _:
                child.process.kill()
                child.process.wait()
                self._schedule_restart(child, self.draws.uniform(0.2, 1.5))

    def _thaw(self, child: Child, number: int, since: float, more: float) -> None:
        """Have a stopped worker go on, `more` seconds after it was called lost, or after `MAX_FREEZE` at the latest."""
        now = time.monotonic()
        if now - since < LOST_AFTER or (number in self.watch.latest.names and now - since < MAX_FREEZE):
            self._due.append((now + 0.1, lambda: self._thaw(child, number, since, more)))
        elif more:
            self._due.append((now + more, lambda: self._thaw(child, number, since, 0)))
        else:
            assert child.process is not None
            child.process.send_signal(signal.SIGCONT)
            self._scheduled.discard(child.name)

    def _schedule_restart(self, child: Child, after: float) -> None:
        self._touched.setdefault(child.name, time.monotonic())
        self._scheduled.add(child.name)
        self._ending.discard(child.name)

        def start() -> None:
            self.rig.start_again(child)
            self._started[child.name] = time.monotonic()
            self._scheduled.discard(child.name)

        self._due.append((time.monotonic() + after, start))
