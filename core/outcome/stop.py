"""How a run that stops an agent can end."""

from dataclasses import dataclass

from typing_extensions import override

from core.outcome.base import Outcome, Success, format_pids


@dataclass(frozen=True, slots=True)
class Stopped(Success):
    """The agent ran, was stopped, and a look after the stop found no live process of it."""

    pids: tuple[int, ...]
    """The processes that ended."""
    signalled: tuple[int, ...] = ()
    """Those among them that the worker signalled, because the agent's own stop left them alive."""

    @override
    def sentence(self) -> str:
        orphans = ""
        if self.signalled:
            orphans = f"; {format_pids(self.signalled)}, left alive by the agent's own stop, had to be signalled"
        return f"Stopped: {format_pids(self.pids)} ended, no live process of the agent is left on the host{orphans}."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return False


@dataclass(frozen=True, slots=True)
class AlreadyStopped(Success):
    """No process of the agent was alive before the stop, and none is alive after it."""

    @override
    def sentence(self) -> str:
        return "Was already stopped: no process of the agent was alive before or after the command."

    @property
    @override
    def agent_alive(self) -> bool | None:
        return False


@dataclass(frozen=True, slots=True)
class StillRunning(Outcome):
    """Processes of the agent are still alive after the stop and all waiting."""

    pids: tuple[int, ...]
    waited_seconds: float

    @override
    def sentence(self) -> str:
        return (
            f"Still running: {format_pids(self.pids)} of the agent, {self.waited_seconds:.0f} s after the stop. Find "
            "out why the agent does not end, then retry; or allow the worker to kill it (OCPFLEET_ALLOW_KILL)."
        )

    @property
    @override
    def agent_alive(self) -> bool | None:
        return True
