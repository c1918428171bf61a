"""How a run can end because of who holds its host."""

from dataclasses import dataclass

from typing_extensions import override

from core.lease import HostBusy
from core.outcome.base import Outcome

_ALL_OR_NONE = ", and a task takes all its hosts or none"
"""Why a host was not taken because of another host."""


@dataclass(frozen=True, slots=True)
class HostHeld(Outcome):
    """Another task holds this host, or another host of the same request, so nothing was taken."""

    host_id: int
    """The host that is held."""
    holder: int
    """The task that holds it."""
    mine: bool
    """Whether it is the host of this very subtask."""

    @override
    def sentence(self) -> str:
        rule = "" if self.mine else _ALL_OR_NONE
        return f"Not taken: task {self.holder} holds host {self.host_id}{rule}. Wait for that task to end, then retry."


@dataclass(frozen=True, slots=True)
class HostLeased(Outcome):
    """A request without a task works on this host, or on another host of the same request, so nothing was taken."""

    busy: HostBusy
    """The host, and who works on it."""
    mine: bool
    """Whether it is the host of this very subtask."""

    @override
    def sentence(self) -> str:
        rule = "" if self.mine else "; a task takes all its hosts or none"
        return f"Not taken: {self.busy.sentence}{rule}. Wait for that request to end, then retry."


@dataclass(frozen=True, slots=True)
class HostProtected(Outcome):
    """This host is protected, or another host of the same request, so nothing was taken."""

    host_id: int
    """The host that is protected."""
    mine: bool
    """Whether it is the host of this very subtask."""

    @override
    def sentence(self) -> str:
        rule = "" if self.mine else _ALL_OR_NONE
        return (
            f"Not taken: host {self.host_id} is protected{rule}. Make a new request without it, or ask an "
            "administrator to lift the protection and retry."
        )


@dataclass(frozen=True, slots=True)
class HostNotHeld(Outcome):
    """The task does not hold this host, or no longer holds it, so nothing was done to it."""

    host_id: int

    @override
    def sentence(self) -> str:
        return f"Not held: this task does not hold host {self.host_id}, so nothing was done there. Make a new request."


@dataclass(frozen=True, slots=True)
class HostGivenAway(Outcome):
    """The task gave this host back and another task has held it since, so a rollback does not take it again."""

    host_id: int

    @override
    def sentence(self) -> str:
        return (
            f"Given away: this task gave host {self.host_id} back and another task has held it since, so nothing was "
            "changed there. Skip this subtask to roll back the others."
        )


@dataclass(frozen=True, slots=True)
class HostGone(Outcome):
    """The host is no longer in the inventory."""

    host_id: int

    @override
    def sentence(self) -> str:
        return f"Gone: host {self.host_id} is no longer in the inventory. Import it again, or skip this subtask."
