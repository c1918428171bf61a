"""The inventory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from core.chunks import chunks
from core.claim import Leasing, Protecting
from core.host import Host, HostStatus
from core.lease import Lease, Leased
from core.page import Page
from infra.store import keys
from infra.store.connection import Argument, Connection, Reply
from infra.store.host_values import EVERY_HOST, HostEntry, HostQuery, Obstacles
from infra.store.parse import HOST_FIELDS, parse_host, parse_obstacle
from infra.store.values import CHUNK

_TO_SMALL: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_LOOKED_AT: Final = 250
"""The hosts that one call of a query looks at. Such a call takes the store about a millisecond."""


class Hosts:
    """The inventory."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def put(self, entries: Iterable[HostEntry], now: int) -> None:
        """Add hosts, or change how to reach them. State and holder stay, and the key too if none is given."""
        for chunk in chunks(tuple(entries), CHUNK):
            await self._redis.run("put_host", now=now, hosts=[_fields(entry) for entry in chunk])

    async def page(self, offset: int, limit: int, query: HostQuery = EVERY_HOST) -> Page[Host]:
        """Return hosts in the order of their ids. Conditions make it look at every host, some hundred at a time."""
        if query.conditions:
            fitting = await self._find(query)
            total, chosen = len(fitting), fitting[offset : offset + limit]
        else:
            command, *span = ("ZRANGEBYLEX", "-", "+") if query.ascending else ("ZREVRANGEBYLEX", "+", "-")
            total, members = await self._redis.calls(
                [("ZCARD", keys.HOSTS), (command, keys.HOSTS, *span, "LIMIT", offset, limit)]
            )
            chosen = tuple(map(int, members))
        found = await self.get(chosen)
        return Page(tuple(found.values()), total)

    async def _find(self, query: HostQuery) -> tuple[int, ...]:
        """Return the ids of the hosts that match a query, in its order."""
        statuses = sorted(HostStatus if query.statuses is None else query.statuses)
        keyword = _fold_case(query.keyword) if query.keyword else None
        found: list[int] = []
        last: str | None = None
        while True:
            last, *more = await self._redis.run(
                "find_hosts",
                after=last,
                limit=_LOOKED_AT,
                keyword=keyword,
                with_agent=query.with_agent,
                statuses=statuses,
            )
            found += map(int, more)
            if not last:
                return tuple(found if query.ascending else reversed(found))

    async def get(self, host_ids: Sequence[int]) -> dict[int, Host]:
        """Return the hosts that exist, by id."""
        found: dict[int, Host] = {}
        for chunk in chunks(host_ids, CHUNK):
            queries: list[tuple[Argument, ...]] = [("HMGET", keys.host(host_id), *HOST_FIELDS) for host_id in chunk]
            protected, *rows = await self._redis.calls([("SMISMEMBER", keys.PROTECTED, *chunk), *queries])
            found.update(
                (host_id, parse_host(host_id, row, protected=bool(kept)))
                for host_id, row, kept in zip(chunk, rows, protected, strict=True)
                if row[0] is not None
            )
        return found

    async def unknown(self, host_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the ids that are not in the inventory, in the order given."""
        answers = await self._redis.calls(list(_scores(host_ids)))
        return _without_score(host_ids, answers)

    async def find_obstacles(self, host_ids: Sequence[int]) -> Obstacles:
        """Return all that may keep hosts from being worked on, in one look."""
        scores, members = list(_scores(host_ids)), list(_members(host_ids))
        brake, *answers = await self._redis.calls([("EXISTS", keys.BRAKE), *scores, *members])
        protected = [found for answer in answers[len(scores) :] for found in answer]
        return Obstacles(
            unknown=_without_score(host_ids, answers[: len(scores)]),
            protected=tuple(host_id for host_id, found in zip(host_ids, protected, strict=True) if found),
            braked=bool(brake),
        )

    async def aliases(self) -> Mapping[str, int]:
        """Return every alias and the id of its host."""
        return {alias: int(host_id) for alias, host_id in (await self._redis.call("HGETALL", keys.ALIASES)).items()}

    async def lease(self, host_ids: Sequence[int], lease: Lease) -> Leasing:
        """Lease hosts (at most `CHUNK`), all or none. A host of this lease is leased again."""
        answer = await self._redis.run(
            "lease", lease=lease.id, purpose=lease.purpose, lasts=lease.lasts, hosts=_texts(host_ids)
        )
        return Leased() if answer == ["leased"] else parse_obstacle(answer)

    async def release(self, host_ids: Sequence[int], lease_id: str) -> None:
        """Give up a lease on hosts. Hosts of another lease stay leased."""
        await self._redis.run("unlease", lease=lease_id, hosts=_texts(host_ids))

    async def protect(self, host_ids: Sequence[int], now: int) -> Protecting:
        """Protect hosts (at most `CHUNK`), all or none. Nobody takes, leases or removes a protected host.

        Returns:
            Protected, with the last host, if all are protected now; else what prevents it for one host.
        """
        answer = await self._redis.run("protect", now=now, hosts=_texts(host_ids))
        return parse_obstacle(answer)

    async def unprotect(self, host_ids: Sequence[int], now: int) -> tuple[int, ...]:
        """Lift the protection of hosts (at most `CHUNK`) and return those that were protected."""
        return tuple(map(int, await self._redis.run("unprotect", now=now, hosts=_texts(host_ids))))

    async def remove(self, host_ids: Sequence[int], lease_id: str | None = None) -> tuple[int, ...]:
        """Remove hosts (at most `CHUNK`) from the inventory, and all that is kept of them.

        Args:
            host_ids: the hosts. Those that a task holds stay, and so do protected ones and those of another lease.
            lease_id: the lease of the caller, if it has one. Then hosts without this lease stay.

        Returns:
            The ids of the hosts that are gone.
        """
        hosts = [(str(host_id), keys.host_member(host_id)) for host_id in host_ids]
        return tuple(map(int, await self._redis.run("remove_hosts", lease=lease_id, hosts=hosts)))

    async def note_version(self, host_id: int, version: str, now: int) -> None:
        """Note the version of a host's agent. Nothing happens if there is no such host."""
        await self._redis.run("note_version", host=str(host_id), version=version, now=now)

    async def pin(self, host_id: int, key: str, now: int, *, replace: bool) -> bool:
        """Pin a host's public key; return whether it was pinned. Without `replace` a pinned key stays."""
        return bool(await self._redis.run("pin", host=str(host_id), key=key, now=now, replace=replace))


def _fold_case(text: str) -> str:
    """Return a text with its letters from A to Z in lower case. The script compares texts in this form."""
    return text.translate(_TO_SMALL)


def _fields(entry: HostEntry) -> dict[str, str]:
    """Return the arguments of the script for one host: its fields, its id and its place in the index."""
    target = entry.target
    fields = {
        "id": str(target.host_id),
        "member": keys.host_member(target.host_id),
        "ip": target.address,
        "port": str(target.port),
        "user": target.user,
        "home": target.agent_home,
        "prefix": target.agent_prefix,
        "sudo": str(int(target.sudo)),
        "key": target.host_key,
        "alias": entry.alias,
    }
    return {name: value for name, value in fields.items() if value}


def _texts(host_ids: Sequence[int]) -> list[str]:
    return [str(host_id) for host_id in host_ids]


def _scores(host_ids: Sequence[int]) -> Iterator[tuple[Argument, ...]]:
    for chunk in chunks(host_ids, CHUNK):
        yield ("ZMSCORE", keys.HOSTS, *map(keys.host_member, chunk))


def _members(host_ids: Sequence[int]) -> Iterator[tuple[Argument, ...]]:
    for chunk in chunks(host_ids, CHUNK):
        yield ("SMISMEMBER", keys.PROTECTED, *chunk)


def _without_score(host_ids: Sequence[int], answers: Sequence[Reply]) -> tuple[int, ...]:
    scores = [score for answer in answers for score in answer]
    return tuple(host_id for host_id, score in zip(host_ids, scores, strict=True) if score is None)
