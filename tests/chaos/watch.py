"""Looks at all claims ten times a second, for double claims, for the claims that a fault hits, and for recoveries."""

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
from tests.chaos.invariants import find_double_claims
from tests.chaos.observations import Burial, Claim
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
"""Reads all workers with their claims at one moment."""


@dataclass(frozen=True, slots=True)
class Look:
    """The workers and claims at one moment."""

    at: float
    names: Mapping[int, str]
    """The workers' names without the machine, by the number of the worker process."""
    claims: Mapping[int, frozenset[str]]
    """The claims as `taskId:seriesId:token`, by the same number."""

    def find_newest(self, worker: str) -> int:
        """Return the number of a worker's present process; 0 if there is none."""
        return max((number for number, name in self.names.items() if name == worker), default=0)

    def count_claims(self, worker: str) -> int:
        """Return the number of claims of a worker's present process."""
        return len(self.claims.get(self.find_newest(worker), ()))

    @property
    def all_live(self) -> int:
        """The number of all claims."""
        return sum(map(len, self.claims.values()))


@dataclass
class Watch:
    """Looks at the store and the APIs, in threads of its own, from `start` to `stop`."""

    rig: Rig
    latest: Look = field(default_factory=lambda: Look(0.0, {}, {}))
    breaches: list[str] = field(default_factory=list)
    burials: list[Burial] = field(default_factory=list)
    looks: int = 0
    most: int = 0
    """The highest number of claims in one look."""
    answered: dict[str, float] = field(default_factory=dict)
    """The time of the last request that an API answered, by its name."""
    _of_workers: list[tuple[Fault, int, frozenset[str]]] = field(default_factory=list)
    """Faults without recovery yet, with the number of the worker process and the claims that were hit."""
    _of_servers: list[Fault] = field(default_factory=list)
    """Faults of other processes without recovery yet."""
    _lives: dict[int, str] = field(default_factory=dict)
    """The worker in its life, such as "worker-2.3", by the number of the worker process."""
    _plans: dict[int, tuple[Plan, list[int]]] = field(default_factory=dict)
    _threads: Threads = field(default_factory=Threads)

    def start(self) -> None:
        """Start the threads."""
        self._redis = Redis.from_url(
            self.rig.system.settings.redis_url, decode_responses=True, socket_timeout=2, socket_connect_timeout=2
        )
        for work in (self._look, self._ask):
            self._threads.start(self._for_ever, work)

    def stop(self) -> None:
        """Stop the threads."""
        self._threads.stop()
        self._redis.close()

    def track(self, fault: Fault, worker: int) -> None:
        """Watch for the recovery from a fault, and set the fault's time.

        For a worker, that is when none of its claims is left with it; for another process, when an API says that the
        system is ready.

        Args:
            fault: the fault that was just made.
            worker: the number of the worker process that it hit; 0 for another process.
        """
        if worker:
            self._of_workers.append((fault, worker, self.latest.claims.get(worker, frozenset())))
        else:
            self._of_servers.append(fault)

    def list_keys(self) -> Iterator[str]:
        """Yield every key of the store, without its prefix."""
        for key in self._redis.scan_iter(count=1000):
            yield str(key).removeprefix(PREFIX)

    def _for_ever(self, work: Callable[[], None]) -> None:
        while not self._threads.is_over(_EVERY):
            with suppress(RedisError):  # the store was killed, and will come back
                work()

    def _look(self) -> None:
        at, found = time.monotonic(), self._redis.eval(_CLAIMS, 0)
        names = {int(number): str(name).split("@", maxsplit=1)[0] for number, name, _ in found}
        before, look = self.latest, Look(at, names, {int(number): _to_claims(claims) for number, _, claims in found})
        self.latest = look
        self._lives = {number: self.rig.name_life(name) for number, name in names.items()} | self._lives
        self.burials += list_burials(before, look, self._lives)
        self.looks, self.most = self.looks + 1, max(self.most, look.all_live)
        self.breaches += find_double_claims(self._list_claims(look))
        for one in list(self._of_workers):
            fault, worker, claims = one
            if look.at > fault.at and not claims & look.claims.get(worker, frozenset()):
                fault.recovered = look.at - fault.at
                self._of_workers.remove(one)

    def _ask(self) -> None:
        """Check whether the APIs answer and, after a fault, whether the system is ready."""
        for api in self.rig.apis:
            began = time.monotonic()
            if self.rig.says_yes(api, "/healthz"):
                self.answered[api.name] = began
        for fault in list(self._of_servers):
            began = time.monotonic()
            if any(self.rig.says_yes(api, "/readyz") for api in self._list_apis(fault)):
                fault.recovered = began - fault.at
                self._of_servers.remove(fault)

    def _list_apis(self, fault: Fault) -> list[Child]:
        """Return the APIs of which one must be ready for a recovery: the one that was hit, or any."""
        return [api for api in self.rig.apis if api.name == fault.victim] or self.rig.apis

    def _list_claims(self, look: Look) -> Iterator[Claim]:
        for worker, claims in look.claims.items():
            for claim in claims:
                task, series, _ = map(int, claim.split(":"))
                plan, hosts = self._read_plan(task)
                step = plan.find_step(series)
                if step.step.action.is_remote:
                    yield Claim(worker, task, hosts[series - step.first])

    def _read_plan(self, task: int) -> tuple[Plan, list[int]]:
        if task not in self._plans:
            slug = str(self._redis.hget(f"{PREFIX}task:{task}", "type"))
            hosts = [int(one) for one in self._redis.lrange(f"{PREFIX}task:{task}:hosts", 0, -1)]
            self._plans[task] = Plan(TASK_TYPES[slug], len(hosts)), hosts
        return self._plans[task]


def list_burials(before: Look, now: Look, lives: Mapping[int, str]) -> list[Burial]:
    """Return the workers that went out of the record between two looks; `lives` has the worker of each number."""
    return [Burial(lives[number], before.at, now.at) for number in sorted(before.names.keys() - now.names.keys())]


def _to_claims(flat: list[str]) -> frozenset[str]:
    return frozenset(f"{claim}:{token}" for claim, token in zip(flat[::2], flat[1::2], strict=True))
