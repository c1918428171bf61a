"""The inventory in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from core.claim import HeldByOther, Leasing, Missing, Protected, Protecting
from core.host import WITHOUT_AGENT, AgentStatus, Host, HostState, HostStatus, Target
from core.lease import HostBusy, Lease, Leased
from infra.store.base import EVERY_HOST, HostEntry, HostPage, HostQuery, Hosts, NewHost, Standing
from infra.store.folding import folded
from infra.store.memory.brake import MemoryBrake


@dataclass(slots=True)
class KeptHost:
    """A host, and what its state was before the task that holds it took it."""

    host: Host
    former: HostState | None = None
    past: tuple[int, HostState] | None = None
    """The task that gave it back last, and what it was before that task took it; None once another one took it."""

    def take(self, task_id: int, now: int, during: HostState) -> bool:
        """Give the host to a task; False where a task holds it already."""
        if self.host.holder is not None:
            return False
        self.former, self.past = self.host.state, None
        self._be(during, task_id, now)
        return True

    def retake(self, task_id: int, now: int, during: HostState) -> bool:
        """Give the host, which nobody holds, to a task again; False where another one has had it since."""
        if self.past is None or self.past[0] != task_id:
            return False
        self.former, self.past = self.past[1], None
        self._be(during, task_id, now)
        return True

    def give_back(self, now: int, after: HostState | None, giver: int | None = None) -> None:
        """Free the host, in the state that it has from now on, or as it was.

        The task that gives it with a new state can take it again.
        """
        if giver is not None and after is not None and self.former is not None:
            self.past = giver, self.former
        former = self.former or self.host.state
        if after is None or after.agent is former.agent:  # an idle host stays idle
            after = former
        self._be(after, None, now)
        self.former = None

    def _be(self, state: HostState, holder: int | None, now: int) -> None:
        self.host = replace(self.host, holder=holder, agent_status=state.agent, status=state.host, updated=now)


class MemoryHosts(Hosts):
    """The inventory of one fleet in this process."""

    def __init__(self, brake: MemoryBrake, clock: Callable[[], int]) -> None:
        self._brake = brake
        self._clock = clock
        self._last = 0
        self._leases: dict[int, tuple[Lease, int]] = {}
        self._kept: dict[int, KeptHost] = {}
        self._aliases: dict[str, int] = {}

    def find(self, host_id: int) -> KeptHost | None:
        """Return a host with its former state, or None. For the tasks, which take hosts and give them back."""
        return self._kept.get(host_id)

    def busy(self, host_id: int, lease_id: str = "") -> HostBusy | None:
        """Return who leased a host; None where nobody has, or this very lease."""
        lease, until = self._leases.get(host_id, (None, 0))
        left = until - self._clock()
        if lease is None or left <= 0 or lease.id == lease_id:
            return None
        return HostBusy(host_id, lease.purpose, left)

    def same_as(self, new: NewHost) -> tuple[int, bool] | None:
        """Return the host that a new one would be again (False), or whose alias it would take (True); None for none."""
        for host_id, kept in self._kept.items():
            if _endpoint(kept.host.target) == _endpoint(new.target):
                return host_id, False
        return (self._aliases[new.alias], True) if new.alias in self._aliases else None

    def add(self, new: NewHost, now: int) -> int:
        """Add a host that is not there and return the id that it got."""
        self._last += 1
        while self._last in self._kept:
            self._last += 1
        target = replace(new.target, host_id=self._last, host_key=None)
        host = replace(_new(HostEntry(target, None), now), alias=new.alias, details=new.details)
        self._kept[self._last] = KeptHost(
            replace(host, status=WITHOUT_AGENT.host, agent_status=WITHOUT_AGENT.agent),
        )
        self._rename(self._last, None, new.alias)
        return self._last

    @override
    async def put(self, entries: Iterable[HostEntry], now: int) -> None:
        for entry in entries:
            self._put(entry, now)

    def _put(self, entry: HostEntry, now: int) -> None:
        host_id = entry.target.host_id
        if len(str(host_id)) <= _DIGITS:
            self._last = max(self._last, host_id)
        kept = self._kept.setdefault(host_id, KeptHost(_new(entry, now)))
        self._rename(host_id, kept.host.alias, entry.alias)
        target = replace(entry.target, host_key=entry.target.host_key or kept.host.target.host_key)
        kept.host = replace(kept.host, target=target, alias=entry.alias, updated=now)

    def _rename(self, host_id: int, old: str | None, new: str | None) -> None:
        if old is not None and old != new:
            del self._aliases[old]
        if new is None:
            return
        loser = self._aliases.get(new, host_id)
        if loser != host_id:
            kept = self._kept[loser]
            kept.host = replace(kept.host, alias=None)
        self._aliases[new] = host_id

    @override
    async def page(self, offset: int, limit: int, query: HostQuery = EVERY_HOST) -> HostPage:
        every = (self._kept[host_id].host for host_id in sorted(self._kept, reverse=not query.ascending))
        fitting = [host for host in every if _fits(host, query)]
        return HostPage(tuple(fitting[offset : offset + limit]), len(fitting))

    @override
    async def get(self, host_ids: Sequence[int]) -> dict[int, Host]:
        return {host_id: self._kept[host_id].host for host_id in host_ids if host_id in self._kept}

    @override
    async def unknown(self, host_ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(host_id for host_id in host_ids if host_id not in self._kept)

    @override
    async def standing(self, host_ids: Sequence[int]) -> Standing:
        protected = tuple(one for one in host_ids if one in self._kept and self._kept[one].host.protected)
        return Standing(await self.unknown(host_ids), protected, self._brake.on is not None)

    @override
    async def aliases(self) -> Mapping[str, int]:
        return dict(self._aliases)

    @override
    async def lease(self, host_ids: Sequence[int], lease: Lease) -> Leasing:
        for host_id in host_ids:
            kept = self._kept.get(host_id)
            if kept is None:
                return Missing(host_id)
            if kept.host.holder is not None:
                return HeldByOther(host_id, kept.host.holder)
            if kept.host.protected:
                return Protected(host_id)
            if busy := self.busy(host_id, lease.id):
                return busy
        self._leases |= dict.fromkeys(host_ids, (lease, self._clock() + lease.lasts))
        return Leased()

    @override
    async def release(self, host_ids: Sequence[int], lease_id: str) -> None:
        for host_id in host_ids:
            if self._stands_on(host_id, lease_id):
                del self._leases[host_id]

    def _stands_on(self, host_id: int, lease_id: str) -> bool:
        lease, until = self._leases.get(host_id, (None, 0))
        return lease is not None and lease.id == lease_id and until > self._clock()

    @override
    async def remove(self, host_ids: Sequence[int], lease_id: str | None = None) -> tuple[int, ...]:
        gone = tuple(host_id for host_id in host_ids if self._may_go(host_id, lease_id))
        for host_id in gone:
            kept = self._kept.pop(host_id)
            self._leases.pop(host_id, None)
            if kept.host.alias is not None:
                del self._aliases[kept.host.alias]
        return gone

    @override
    async def protect(self, host_ids: Sequence[int], now: int) -> Protecting:
        for host_id in host_ids:
            kept = self._kept.get(host_id)
            if kept is None:
                return Missing(host_id)
            if kept.host.holder is not None:
                return HeldByOther(host_id, kept.host.holder)
            if busy := self.busy(host_id):
                return busy
        self._mark([host_id for host_id in host_ids if not self._kept[host_id].host.protected], now, protected=True)
        return Protected(host_ids[-1])

    @override
    async def unprotect(self, host_ids: Sequence[int], now: int) -> tuple[int, ...]:
        lifted = (await self.standing(host_ids)).protected
        self._mark(lifted, now, protected=False)
        return lifted

    def _mark(self, host_ids: Iterable[int], now: int, *, protected: bool) -> None:
        for host_id in host_ids:
            kept = self._kept[host_id]
            kept.host = replace(kept.host, protected=protected, updated=now)

    def _may_go(self, host_id: int, lease_id: str | None) -> bool:
        kept = self._kept.get(host_id)
        if kept is None or kept.host.holder is not None or kept.host.protected:
            return False
        return self.busy(host_id) is None if lease_id is None else self._stands_on(host_id, lease_id)

    @override
    async def note_version(self, host_id: int, version: str, now: int) -> None:
        if kept := self._kept.get(host_id):
            kept.host = replace(kept.host, agent_version=version, updated=now)

    @override
    async def pin(self, host_id: int, key: str, now: int, *, replace: bool) -> bool:
        kept = self._kept.get(host_id)
        if kept is None or (kept.host.target.host_key is not None and not replace):
            return False
        kept.host = _pinned(kept.host, key, now)
        return True


_DIGITS = 15
"""Ids with more digits, which people chose, do not raise those of new hosts."""


def _endpoint(target: Target) -> tuple[str, int, str]:
    return target.address, target.port, target.agent_home


def _fits(host: Host, query: HostQuery) -> bool:
    texts = (host.alias, host.target.address, host.details.description, host.details.serial_number)
    keyword = folded(query.keyword or "")
    return (
        (query.statuses is None or host.status in query.statuses)
        and query.with_agent in {None, host.agent_status is not AgentStatus.DELETED}
        and any(keyword in folded(text) for text in texts if text is not None)
    )


def _new(entry: HostEntry, now: int) -> Host:
    return Host(
        target=entry.target,
        alias=None,
        status=HostStatus.ONLINE,
        agent_status=AgentStatus.AVAILABLE,
        agent_version=None,
        holder=None,
        created=now,
        updated=now,
    )


def _pinned(host: Host, key: str, now: int) -> Host:
    return replace(host, target=replace(host.target, host_key=key), updated=now)
