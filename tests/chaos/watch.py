"""A look at all claims ten times a second: whether two are of one host, whom a fault hits, and what came back when."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError

from core.plan import Plan
from core.task_types import TASK_TYPES
from infra.store.keys import PREFIX
from tests.chaos.invariants import doubled
from tests.chaos.observations import Burial, ClaimSeen
from tests.chaos.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from demo.supervisor import Child
    from tests.chaos.observations import Fault
    from tests.chaos.rig import Rig

_EVERY = 0.1
_CLAIMS = f"""
local found, workers = {{}}, redis.call('HGETALL', '{PREFIX}workers')
for at = 1, #workers, 2 do
  found[#found + 1] = {{workers[at], workers[at + 1], redis.call('HGETALL', '{PREFIX}claims:' .. workers[at])}}
end
return found
"""
"""All workers with their claims, at one moment."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw."""

    at: float
    names: Mapping[int, str]
    """By a worker process's number: its name without its machine."""
    claims: Mapping[int, frozenset[str]]
    """By the same: `taskId:seriesId:token` of each of its claims."""

    def newest(self, worker: str) -> int:
        """Return the number of a worker's present process; 0 where it has none."""
        return max((number for number, name in self.names.items() if name == worker), default=0)

    def live(self, worker: str) -> int:
        """Return how many claims a worker's present process has."""
        return len(self.claims.get(self.newest(worker), ()))

    @property
    def all_live(self) -> int:
        """How many claims there are."""
        return sum(map(len, self.claims.values()))


@dataclass
class Watch:
    """The looks, made by a thread of their own from `start` to `stop`."""

    rig: Rig
    latest: Look = field(default_factory=lambda: Look(0.0, {}, {}))
    breaches: list[str] = field(default_factory=list)
    burials: list[Burial] = field(default_factory=list)
    looks: int = 0
    most: int = 0
    """Claims that were seen at a time."""
    answered: dict[str, float] = field(default_factory=dict)
    """By API: when the newest question was asked that it answered."""
    _of_workers: list[tuple[Fault, int, frozenset[str]]] = field(default_factory=list)
    """Faults that are not over, with the number of the worker process and the claims that were hit."""
    _of_servers: list[Fault] = field(default_factory=list)
    """Other faults that are not over."""
    _lives: dict[int, str] = field(default_factory=dict)
    """By a worker process's number: the worker in its life then."""
    _plans: dict[int, tuple[Plan, list[int]]] = field(default_factory=dict)
    _threads: Threads = field(default_factory=Threads)

    def start(self) -> None:
        """Begin to look."""
        self._redis = Redis.from_url(
            self.rig.system.settings.redis_url, decode_responses=True, socket_timeout=2, socket_connect_timeout=2
        )
        for work in (self._look, self._ask):
            self._threads.start(self._for_ever, work)

    def stop(self) -> None:
        """End looking."""
        self._threads.stop()
        self._redis.close()

    def follow(self, fault: Fault, worker: int) -> None:
        """Note when what a fault hit has come back.

        That is when the claims that a worker had are in other hands or settled, and else when the API says that the
        system is ready.

        Args:
            fault: that was just made.
            worker: the number of the worker process that it hit; 0 where it hit none.
        """
        if worker:
            self._of_workers.append((fault, worker, self.latest.claims.get(worker, frozenset())))
        else:
            self._of_servers.append(fault)

    def keys(self) -> Iterator[str]:
        """Yield every key of the store, without our prefix."""
        for key in self._redis.scan_iter(count=1000):
            yield str(key).removeprefix(PREFIX)

    def _for_ever(self, work: Callable[[], None]) -> None:
        while not self._threads.over(_EVERY):
            with suppress(RedisError):  # it was killed, and will be back
                work()

    def _look(self) -> None:
        at, found = time.monotonic(), self._redis.eval(_CLAIMS, 0)
        names = {int(number): str(name).split("@", maxsplit=1)[0] for number, name, _ in found}
        before, look = self.latest, Look(at, names, {int(number): _claims(claims) for number, _, claims in found})
        self.latest = look
        self._lives = {number: self.rig.who(name) for number, name in names.items()} | self._lives
        self.burials += buried(before, look, self._lives)
        self.looks, self.most = self.looks + 1, max(self.most, look.all_live)
        self.breaches += doubled(self._seen(look))
        for one in list(self._of_workers):
            fault, worker, claims = one
            if look.at > fault.at and not claims & look.claims.get(worker, frozenset()):
                fault.recovered = look.at - fault.at
                self._of_workers.remove(one)

    def _ask(self) -> None:
        """Ask whether the APIs answer, and whether the system is ready where somebody waits for that."""
        for api in self.rig.apis:
            began = time.monotonic()
            if self.rig.says_yes(api, "/healthz"):
                self.answered[api.name] = began
        for fault in list(self._of_servers):
            began = time.monotonic()
            if any(self.rig.says_yes(api, "/readyz") for api in self._asked_after(fault)):
                fault.recovered = began - fault.at
                self._of_servers.remove(fault)

    def _asked_after(self, fault: Fault) -> list[Child]:
        """Return the APIs of which one says whether a fault is over: the one that it hit, or any."""
        return [api for api in self.rig.apis if api.name == fault.victim] or self.rig.apis

    def _seen(self, look: Look) -> Iterator[ClaimSeen]:
        for worker, claims in look.claims.items():
            for claim in claims:
                task, series, _ = map(int, claim.split(":"))
                plan, hosts = self._plan(task)
                step = plan.step_of(series)
                if step.step.action.is_remote:
                    yield ClaimSeen(worker, task, hosts[series - step.first])

    def _plan(self, task: int) -> tuple[Plan, list[int]]:
        if task not in self._plans:
            slug = str(self._redis.hget(f"{PREFIX}task:{task}", "type"))
            hosts = [int(one) for one in self._redis.lrange(f"{PREFIX}task:{task}:hosts", 0, -1)]
            self._plans[task] = Plan(TASK_TYPES[slug], len(hosts)), hosts
        return self._plans[task]


def buried(before: Look, now: Look, lives: Mapping[int, str]) -> list[Burial]:
    """Return the numbers that went out of the record between two looks; `lives` says whose each was."""
    return [Burial(lives[number], before.at, now.at) for number in sorted(before.names.keys() - now.names.keys())]


def _claims(flat: list[str]) -> frozenset[str]:
    return frozenset(f"{claim}:{token}" for claim, token in zip(flat[::2], flat[1::2], strict=True))
