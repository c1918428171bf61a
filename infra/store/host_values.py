"""What the store takes and answers about hosts."""

from dataclasses import dataclass
from enum import StrEnum

from core.host import HostDetails, HostStatus, Target
from core.record import TaskRecord
from infra.store.task_values import KeyTaken


class Release(StrEnum):
    """What came of the wish to free a host from the task that holds it."""

    FREED = "freed"
    """It is free."""
    BUSY = "busy"
    """A run of the task works on it: nothing was changed."""
    MOVED = "moved"
    """Host or task were not as they were said to be: nothing was changed."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A line of an inventory that was checked: how to reach a host, and what people call it."""

    target: Target
    alias: str | None


@dataclass(frozen=True, slots=True)
class NewHost:
    """A host that is about to be added; its id will be given by the store."""

    target: Target
    """How to reach it; what it says of the id does not count."""
    alias: str | None
    details: HostDetails


@dataclass(frozen=True, slots=True)
class HostsAdded:
    """Hosts were added, now or when the request was made before, each with a task of its own."""

    tasks: tuple[TaskRecord, ...]
    """As they were accepted, in the order of the hosts given."""
    host_ids: tuple[int, ...]
    """The hosts' ids, in the same order."""
    known: bool
    """Whether the request was made before, so that nothing was stored now."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """Nothing was stored: the host in this place of the request is in the inventory, or its alias is another's."""

    index: int
    host_id: int
    """Which host that is, or which host has the alias."""
    by_alias: bool


Adding = HostsAdded | AlreadyThere | KeyTaken


@dataclass(frozen=True, slots=True)
class HostQuery:
    """Which hosts a list shows, and in which order. A condition that is None lets every host pass."""

    statuses: frozenset[HostStatus] | None = None
    """Hosts with one of these statuses."""
    keyword: str | None = None
    """Hosts of which alias, address, description or serial number contains this, whatever the case of a to z."""
    with_agent: bool | None = None
    """Hosts with an agent, running or not; or (False) those without one."""
    ascending: bool = True
    """In rising order of ids, instead of falling."""

    @property
    def conditions(self) -> bool:
        """Whether there is any."""
        return (self.statuses, self.keyword, self.with_agent) != (None, None, None)


EVERY_HOST = HostQuery()


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What stands in the way of work on some hosts; their ids are in the order in which they were given."""

    unknown: tuple[int, ...]
    """Those that are not in the inventory."""
    protected: tuple[int, ...]
    """Those that are protected."""
    braked: bool
    """Whether the fleet's brake is on."""
