"""The killing: every kind hits, and what does not end or does not come back is a breach."""

from __future__ import annotations

import math
import random
import signal
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tests.chaos import faults
from tests.chaos.faults import Faults
from tests.chaos.observations import Kind
from tests.chaos.rig import APIS, WORKERS
from tests.chaos.watch import Look

if TYPE_CHECKING:
    from tests.chaos.rig import Rig
    from tests.chaos.watch import Watch


@dataclass
class Process:
    """A process that is terminated, killed or stopped."""

    polite: bool
    ended: int | None = None
    signals: list[signal.Signals] = field(default_factory=list)

    def terminate(self) -> None:
        self.signals.append(signal.SIGTERM)
        self.ended = 0 if self.polite else None

    def kill(self) -> None:
        self.signals.append(signal.SIGKILL)
        self.ended = -9

    def wait(self) -> None:
        assert self.ended is not None

    def send_signal(self, number: signal.Signals) -> None:
        self.signals.append(number)


class Child:
    def __init__(self, name: str, *, polite: bool) -> None:
        self.name, self.polite = name, polite
        self.process = Process(polite)

    @property
    def ended(self) -> int | None:
        return self.process.ended


class FakeFleet:
    """Stands for both the rig and the watch. From `claims_from` on, every worker has a claim."""

    def __init__(self, clock: Clock, *, polite: bool = True, comes_back: bool = True, claims_from: float = 0.0) -> None:
        self.clock, self.comes_back, self.claims_from = clock, comes_back, claims_from
        self.apis = [Child(name, polite=polite) for name in APIS]
        self.store, self.broker = Child("redis", polite=polite), Child("broker", polite=polite)
        self.system = SimpleNamespace(workers={name: Child(name, polite=polite) for name in WORKERS})
        self.numbers = {name: number for number, name in enumerate(WORKERS, 1)}

    def name_life(self, worker: str) -> str:
        return f"{worker}.1"

    def start_again(self, child: Child) -> None:
        child.process = Process(child.polite)
        if self.comes_back and child.name in self.numbers:
            self.numbers[child.name] = max(self.numbers.values()) + 1

    @property
    def answered(self) -> dict[str, float]:
        return dict.fromkeys(APIS, self.clock.now if self.comes_back else 0.0)

    @property
    def latest(self) -> Look:
        claims = frozenset({"7:1:1"} if self.clock.now >= self.claims_from else ())
        names = {number: name for name, number in self.numbers.items()}
        return Look(self.clock.now, names, dict.fromkeys(names, claims))

    def track(self, *_: object) -> None:
        pass


class Clock:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(faults, "time", clock)
    return clock


def make_faults(fleet: FakeFleet, seconds: float, least: int) -> Faults:
    """Make faults for some seconds, and return them."""
    made = Faults(cast("Rig", fleet), cast("Watch", fleet), random.Random(1))
    made.make_faults(seconds, least)
    return made


def test_every_kind_hits(clock: Clock) -> None:
    made = make_faults(FakeFleet(clock), 120, 5)
    assert all(made.hits[kind] >= 5 for kind in Kind)
    assert made.breaches == []


def test_faults_go_on_while_a_kind_lacks_hits(clock: Clock) -> None:
    began = clock.now
    made = make_faults(FakeFleet(clock, claims_from=began + 60), 60, 1)
    assert all(made.hits[kind] >= 1 for kind in Kind)
    assert 60 < clock.now - began < 90


def test_faults_do_not_go_on_for_ever(clock: Clock) -> None:
    began = clock.now
    made = make_faults(FakeFleet(clock, claims_from=math.inf), 60, 1)
    assert not made.hits
    assert made.made, "where nothing has claims any process will do"
    assert 90 <= clock.now - began < 100


def test_a_process_that_does_not_end_at_sigterm_is_a_breach(clock: Clock) -> None:
    made = make_faults(FakeFleet(clock, polite=False), 120, 1)
    assert {sentence.split(" still ran ")[0] for sentence in made.breaches} >= {"api", "worker-1"}


def test_a_process_that_does_not_come_back_is_a_breach(clock: Clock) -> None:
    made = make_faults(FakeFleet(clock, comes_back=False), 60, 1)
    made.wait_for_recovery(30)
    assert "api did not come back within 30 s" in made.breaches


def test_a_process_that_ended_by_itself_is_counted_and_restarted(clock: Clock) -> None:
    fleet = FakeFleet(clock)
    made = make_faults(fleet, 0, 0)
    fleet.apis[0].process.ended = 1
    made.wait_for_recovery(0)
    made.supervise()
    made.wait_for_recovery(10)
    assert made.by_itself == {"api with 1": 1}
    assert fleet.apis[0].ended is None


def test_a_stopped_worker_goes_on_after_it_is_called_lost_or_after_the_limit(clock: Clock) -> None:
    fleet = FakeFleet(clock)
    made = make_faults(fleet, 60, 1)
    made.wait_for_recovery(60)
    stopped = sum(child.process.signals.count(signal.SIGSTOP) for child in fleet.system.workers.values())
    assert stopped == sum(child.process.signals.count(signal.SIGCONT) for child in fleet.system.workers.values())
    assert made.breaches == []
