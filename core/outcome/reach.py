"""How a run can end because the worker could not reach its host."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome


@dataclass(frozen=True, slots=True)
class Unreachable(Outcome):
    """The worker could not connect by SSH, or lost the connection and does not know the host's state."""

    address: str
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Unreachable: {self.address}: {self.detail}. Check that the host is up, that its sshd listens there and "
            "that the worker can reach it, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyMismatch(Outcome):
    """The host showed another key than the pinned one: it is another machine, or an attacker."""

    address: str
    pinned: str
    shown: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key mismatch: {self.address} showed {self.shown}, but the inventory pins {self.pinned}. The worker "
            "sent nothing. If the host was reinstalled, compare the fingerprint, run `ocpfleet hosts trust ID`, then "
            "retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyNotPinned(Outcome):
    """The inventory has no key for the host, and trust on first use is off."""

    address: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key not pinned: the inventory has no hostKey for {self.address}, so the worker did not contact it. "
            "Run `ocpfleet hosts trust ID`, or set OCPFLEET_TRUST_ON_FIRST_USE, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyUnreadable(Outcome):
    """The inventory pins something that is not a public key in OpenSSH's one-line form."""

    address: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key unreadable: the inventory's hostKey for {self.address} is not an OpenSSH public key, so the "
            "worker did not contact the host. Run `ocpfleet hosts trust ID`, then retry."
        )


@dataclass(frozen=True, slots=True)
class AuthenticationFailed(Outcome):
    """The host did not accept any of the worker's keys for this user."""

    address: str
    user: str

    @override
    def sentence(self) -> str:
        return (
            f"Authentication failed: {self.address} accepted none of the worker's keys for user {self.user}. "
            "Add the worker's public key to that user's authorized_keys, or correct sshUser, then retry."
        )
