"""The inventory in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from core.host import AgentStatus, Host, HostState, HostStatus
from infra.store.base import HostEntry, HostPage, Hosts


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
        self._be(after or self.former or self.host.state, None, now)
        self.former = None

    def _be(self, state: HostState, holder: int | None, now: int) -> None:
        self.host = replace(self.host, holder=holder, agent_status=state.agent, status=state.host, updated=now)


class MemoryHosts(Hosts):
    """The inventory of one fleet in this process."""

    def __init__(self) -> None:
        self._kept: dict[int, KeptHost] = {}
        self._aliases: dict[str, int] = {}

    def find(self, host_id: int) -> KeptHost | None:
        """Return a host with its former state, or None. For the tasks, which take hosts and give them back."""
        return self._kept.get(host_id)

    @override
    async def put(self, entries: Iterable[HostEntry], now: int) -> None:
        for entry in entries:
            self._put(entry, now)

    def _put(self, entry: HostEntry, now: int) -> None:
        host_id = entry.target.host_id
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
    async def page(self, offset: int, limit: int) -> HostPage:
        ids = sorted(self._kept)[offset : offset + limit]
        return HostPage(tuple(self._kept[host_id].host for host_id in ids), len(self._kept))

    @override
    async def get(self, host_ids: Sequence[int]) -> dict[int, Host]:
        return {host_id: self._kept[host_id].host for host_id in host_ids if host_id in self._kept}

    @override
    async def unknown(self, host_ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(host_id for host_id in host_ids if host_id not in self._kept)

    @override
    async def aliases(self) -> Mapping[str, int]:
        return dict(self._aliases)

    @override
    async def pin(self, host_id: int, key: str, now: int, *, replace: bool) -> bool:
        kept = self._kept.get(host_id)
        if kept is None or (kept.host.target.host_key is not None and not replace):
            return False
        kept.host = _pinned(kept.host, key, now)
        return True


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
