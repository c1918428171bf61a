"""What the store is asked about hosts, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum

from core.host import HostDetails, HostStatus, Target
from core.record import TaskRecord
from infra.store.task_values import KeyTaken


class Release(StrEnum):
    """What came of an attempt to free a host from the task that holds it."""

    FREED = "freed"
    """The host is free."""
    BUSY = "busy"
    """Nothing was changed: a run of the task works on the host."""
    MOVED = "moved"
    """Nothing was changed: the host or the task is no longer as the caller read it."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A valid line of an inventory: how to reach a host, and what people call it."""

    target: Target
    alias: str | None


@dataclass(frozen=True, slots=True)
class NewHost:
    """A host to add. The store gives it an id."""

    target: Target
    """How to reach it. Its host id is ignored."""
    alias: str | None
    details: HostDetails


@dataclass(frozen=True, slots=True)
class HostsAdded:
    """Hosts were added, each with a task of its own: now, or by an earlier request with the same key."""

    tasks: tuple[TaskRecord, ...]
    """As they were accepted, in the order of the request."""
    host_ids: tuple[int, ...]
    """The hosts' ids, in the same order."""
    known: bool
    """Whether the request was made before. Then nothing was stored now."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """Nothing was stored: a host of the request is in the inventory already, or its alias belongs to another host."""

    index: int
    """Which host of the request, from 0."""
    host_id: int
    """The id that it has in the inventory, or the id of the host that has the alias."""
    by_alias: bool
    """Whether only the alias is taken."""


Adding = HostsAdded | AlreadyThere | KeyTaken


@dataclass(frozen=True, slots=True)
class HostQuery:
    """Which hosts a list shows, and in which order. A condition that is None matches every host."""

    statuses: frozenset[HostStatus] | None = None
    """Hosts with one of these statuses."""
    keyword: str | None = None
    """Hosts whose alias, address, description or serial number contains this. The case of a to z does not matter."""
    with_agent: bool | None = None
    """True: hosts with an agent, running or not. False: hosts without one."""
    ascending: bool = True
    """Whether ids rise; else they fall."""

    @property
    def conditions(self) -> bool:
        """Whether the query has a condition."""
        return (self.statuses, self.keyword, self.with_agent) != (None, None, None)


EVERY_HOST = HostQuery()


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What keeps some hosts from being worked on. Ids are in the order of the question."""

    unknown: tuple[int, ...]
    """Hosts that are not in the inventory."""
    protected: tuple[int, ...]
    """Hosts that are protected."""
    braked: bool
    """Whether the fleet's brake is on."""
