"""What happened to a subtask, as a value: one class and one sentence for each way it can end.

A host's failure is never an exception (our own bugs are): workers return an outcome, the record keeps whether it
succeeded, and the log keeps its sentence. Every sentence of a failure says what to do next.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from core.lease import HostBusy


@dataclass(frozen=True, slots=True)
class Outcome(ABC):
    """How one run of a subtask ended."""

    successful: ClassVar[bool] = False

    @property
    def agent_alive(self) -> bool | None:
        """What the run saw last of the host's agent; None where it did not see."""
        return None

    @abstractmethod
    def sentence(self) -> str:
        """Return the verdict for people: what happened and, for a failure, the way out."""


@dataclass(frozen=True, slots=True)
class Success(Outcome, ABC):
    """The subtask did what it was for."""

    successful: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Done(Success):
    """A step that changes nothing on a host did its work."""

    what: str

    @override
    def sentence(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class PassedOver(Success):
    """Nothing was done, because a person skipped the subtask, or skipped the taking of its host."""

    why: str

    @override
    def sentence(self) -> str:
        return f"Nothing was done: {self.why}."


@dataclass(frozen=True, slots=True)
class Stopped(Success):
    """The agent ran, was stopped, and no live process of it is left: looked at, not believed."""

    pids: tuple[int, ...]
    signalled: tuple[int, ...] = ()

    @override
    def sentence(self) -> str:
        orphans = f"; {_pids(self.signalled)} that the agent's own stop left alive had to be signalled" * bool(
            self.signalled
        )
        return f"Stopped: {_pids(self.pids)} ended, no live process of the agent is left on the host{orphans}."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return False


@dataclass(frozen=True, slots=True)
class AlreadyStopped(Success):
    """No process of the agent was alive before the stop, none is after it."""

    @override
    def sentence(self) -> str:
        return "Was already stopped: no process of the agent was alive before or after the command."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return False


@dataclass(frozen=True, slots=True)
class Started(Success):
    """The agent was started, and was twice found ready with the same agentd and its three processes alive."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return f"Started: {_pids(self.pids)} run; the agent was ready twice, with the same agentd."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class AlreadyRunning(Success):
    """The agent ran before the start, with the same agentd, and was twice found ready."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return f"Was already running: {_pids(self.pids)} run; the agent was ready twice, with the same agentd."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class NotReady(Outcome):
    """The agent was started, or seen at its stop, and did not become ready in the time that it was given."""

    detail: str
    pids: tuple[int, ...]
    waited_seconds: float

    @override
    def sentence(self) -> str:
        return (
            f"Not ready: {self.detail} after {self.waited_seconds:.0f} s ({_pids(self.pids)} alive). Look into the "
            "agent's log directory on the host (a port that another program has taken is a usual cause), then retry."
        )


@dataclass(frozen=True, slots=True)
class EndedAtOnce(Outcome):
    """The agentd that the start brought up ended within its first second."""

    agent_home: str
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Ended at once: agentd did not stay up ({self.detail}). See {self.agent_home}/log/agentd.err.log. If an "
            f"agentd.pid file in {self.agent_home}/run names a process that is no agentd, remove the file; then retry."
        )


@dataclass(frozen=True, slots=True)
class ProxyRuns(Outcome):
    """The host has a pos proxy, which only agents before 3.2 have, and ocpfleet does not restart one."""

    pids: tuple[int, ...]

    @override
    def sentence(self) -> str:
        return (
            f"Pos proxy runs: {_pids(self.pids)}. Only agents before 3.2 have one, and ocpfleet does not restart it. "
            "Restart it on the host by hand and skip this subtask, or update the agent and retry."
        )


@dataclass(frozen=True, slots=True)
class Refused(Outcome):
    """The agent's control program answered no, with a code of its own, and processes are alive."""

    code: str
    detail: str
    pids: tuple[int, ...] = ()

    @override
    def sentence(self) -> str:
        return (
            f"Refused: the agent's control program answered {self.code}: {self.detail} "
            f"({_pids(self.pids)} alive). Mend the cause on the host, then retry."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return bool(self.pids)


@dataclass(frozen=True, slots=True)
class StillRunning(Outcome):
    """After the stop and all waiting, processes of the agent are alive."""

    pids: tuple[int, ...]
    waited_seconds: float

    @override
    def sentence(self) -> str:
        return (
            f"Still running: {_pids(self.pids)} of the agent alive {self.waited_seconds:.0f} s after the stop. "
            "Look at why the process does not end, then retry; or allow the worker to kill (OCPFLEET_ALLOW_KILL)."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class NotInstalled(Outcome):
    """The control program is not on the host, or cannot be executed there."""

    path: str
    pids: tuple[int, ...] = ()

    @override
    def sentence(self) -> str:
        alive = f" although {_pids(self.pids)} of it alive" * bool(self.pids)
        return (
            f"Not installed: {self.path} is missing or not executable{alive}. "
            "Correct the host's agentHome or agentPrefix in the inventory, or install the agent, then retry."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return bool(self.pids)


@dataclass(frozen=True, slots=True)
class NoPermission(Outcome):
    """The SSH user may not stop or start this agent, or look at its processes."""

    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"No permission: {self.detail}. Set sshUser to the owner of the agent's processes, "
            "or sudo to true with a sudo rule that needs no password, then retry."
        )


@dataclass(frozen=True, slots=True)
class Unreachable(Outcome):
    """No SSH connection could be made, or it was lost and the host's state is not known."""

    address: str
    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"Unreachable: {self.address}: {self.detail}. "
            "See that the host is up, its sshd listens there and the worker may reach it, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyMismatch(Outcome):
    """The host showed another key than the pinned one: another machine, or an attacker."""

    address: str
    pinned: str
    shown: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key mismatch: {self.address} showed {self.shown}, the inventory pins {self.pinned}. Nothing was "
            "sent. If the host was installed anew, compare the fingerprint, run `ocpfleet hosts trust ID`, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyNotPinned(Outcome):
    """The inventory has no key for the host, and trust on first use is off."""

    address: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key not pinned: the inventory has no hostKey for {self.address}, so it was not contacted. "
            "Run `ocpfleet hosts trust ID`, or set OCPFLEET_TRUST_ON_FIRST_USE, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostKeyUnreadable(Outcome):
    """What the inventory pins is no public key in OpenSSH's one-line form."""

    address: str

    @override
    def sentence(self) -> str:
        return (
            f"Host key unreadable: the hostKey of {self.address} in the inventory is no OpenSSH public key, so it was "
            "not contacted. Run `ocpfleet hosts trust ID`, then retry."
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
            "Put the worker's public key into that user's authorized_keys or correct sshUser, then retry."
        )


@dataclass(frozen=True, slots=True)
class TimedOut(Outcome):
    """A limit ran out while something was being done."""

    doing: str
    limit_seconds: float

    @override
    def sentence(self) -> str:
        return f"Timed out: {self.limit_seconds:g} s ran out while {self.doing}. Look at the host, then retry."


@dataclass(frozen=True, slots=True)
class Abandoned(Outcome):
    """A person cancelled the run."""

    @override
    def sentence(self) -> str:
        return (
            "Cancelled: the work on this host was abandoned. A command that was on its way may have gone on there: "
            "retry to look again and finish it, or skip."
        )


@dataclass(frozen=True, slots=True)
class WorkersLost(Outcome):
    """Worker after worker died while it worked on this host, at last with no other suspect beside it."""

    losses: int

    @override
    def sentence(self) -> str:
        return (
            f"Workers lost: {self.losses} workers died while they worked on this host, the last ones with no other "
            "suspect host beside it, so it is not tried again by itself. See the workers' logs for why they died; then "
            "retry."
        )


@dataclass(frozen=True, slots=True)
class UnexpectedAnswer(Outcome):
    """The host answered something that no known control program or shell answers."""

    detail: str

    @override
    def sentence(self) -> str:
        return f"Unexpected answer: {self.detail}. Run the logged command on the host by hand, then retry."


@dataclass(frozen=True, slots=True)
class HostHeld(Outcome):
    """Another task holds this host, or another host of the same request, so nothing was taken."""

    host_id: int
    holder: int
    mine: bool

    @override
    def sentence(self) -> str:
        held = f"host {self.host_id} is held by task {self.holder}"
        what = f"{held}." if self.mine else f"{held}, and a task takes all its hosts or none."
        return f"Not taken: {what} Wait for that task to end, then retry."


@dataclass(frozen=True, slots=True)
class HostLeased(Outcome):
    """A request that is no task works on this host, or on another host of the same request, so nothing was taken."""

    busy: HostBusy
    mine: bool

    @override
    def sentence(self) -> str:
        rule = "" if self.mine else "; a task takes all its hosts or none"
        return f"Not taken: {self.busy.sentence}{rule}. Then retry."


@dataclass(frozen=True, slots=True)
class HostProtected(Outcome):
    """This host is protected, or another host of the same request, so nothing was taken."""

    host_id: int
    mine: bool

    @override
    def sentence(self) -> str:
        rule = "" if self.mine else ", and a task takes all its hosts or none"
        return (
            f"Not taken: host {self.host_id} is protected{rule}. Make a new request without it, or have an "
            "administrator lift the protection, then retry."
        )


@dataclass(frozen=True, slots=True)
class HostNotHeld(Outcome):
    """The task does not hold this host (any more), so nothing was done to it."""

    host_id: int

    @override
    def sentence(self) -> str:
        return f"Not held: this task does not hold host {self.host_id}, so nothing was done there. Make a new request."


@dataclass(frozen=True, slots=True)
class HostGivenAway(Outcome):
    """The task gave this host back, and another one has had it since, so it is not taken again to undo the work."""

    host_id: int

    @override
    def sentence(self) -> str:
        return (
            f"Given away: host {self.host_id} was given back, and another task has had it since, so it is left as it "
            "is. Skip this subtask to roll back the others."
        )


@dataclass(frozen=True, slots=True)
class HostGone(Outcome):
    """The host is no longer in the inventory."""

    host_id: int

    @override
    def sentence(self) -> str:
        return f"Gone: host {self.host_id} is not in the inventory any more. Import it again, or skip it."


@dataclass(frozen=True, slots=True)
class InternalError(Outcome):
    """A fault of ocpfleet itself; the worker's log has the traceback."""

    error: str

    @override
    def sentence(self) -> str:
        return f"Internal error: {self.error}. This is a fault of ocpfleet; the worker's log has the traceback."


def _pids(pids: tuple[int, ...]) -> str:
    match pids:
        case ():
            return "no process"
        case (pid,):
            return f"process {pid}"
        case _:
            return "processes " + ", ".join(map(str, pids))
