"""How a run can end because of what the agent's control program, or the shell that starts it, answered."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome, format_pids


@dataclass(frozen=True, slots=True)
class Refused(Outcome):
    """The control program refused, with an error code of its own."""

    code: str
    detail: str
    pids: tuple[int, ...] = ()
    """The agent's processes that are alive."""

    @override
    def sentence(self) -> str:
        return (
            f"Refused: the agent's control program answered {self.code}: {self.detail} "
            f"({format_pids(self.pids)} alive). Fix the cause on the host, then retry."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return bool(self.pids)


@dataclass(frozen=True, slots=True)
class NotInstalled(Outcome):
    """The control program is not on the host, or cannot be executed there."""

    path: str
    pids: tuple[int, ...] = ()
    """The agent's processes that are alive all the same."""

    @override
    def sentence(self) -> str:
        alive = f", although the host runs {format_pids(self.pids)} of the agent" if self.pids else ""
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
    """The SSH user may not stop or start this agent, or may not look at its processes."""

    detail: str

    @override
    def sentence(self) -> str:
        return (
            f"No permission: {self.detail}. Set sshUser to the owner of the agent's processes, "
            "or set sudo to true and add a sudo rule that needs no password, then retry."
        )


@dataclass(frozen=True, slots=True)
class UnexpectedAnswer(Outcome):
    """The host answered something that no known control program or shell answers."""

    detail: str

    @override
    def sentence(self) -> str:
        return f"Unexpected answer: {self.detail}. Run the logged command on the host by hand, then retry."
