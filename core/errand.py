"""An errand: something small that a worker does on one host for the API while a client waits for the answer.

The API cannot reach hosts, because only the workers have the keys. An errand is not a task: nothing of it is kept.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.agent import AgentInspection


class ErrandKind(StrEnum):
    """What to do."""

    LOOK = "look"
    """Look at the agent's processes."""
    STOP = "stop"
    """Stop one of the processes, then look."""
    RESTART = "restart"
    """Restart one of the processes, or start it if it does not run, then look."""

    @property
    def is_change(self) -> bool:
        """Whether it changes something on the host, so that nobody else may work there meanwhile."""
        return self is not ErrandKind.LOOK


@dataclass(frozen=True, slots=True)
class Errand:
    """What to do on a host, and for which request. It holds no secret."""

    id: str
    """Random, so that nobody can guess it. Also the id of its lease on the host."""
    kind: ErrandKind
    host_id: int
    process: str | None
    """Which of the agent's processes, one of `core.agent.NAMES`; None for a look."""
    trace_id: str
    """The request's trace id, for the logs."""

    @property
    def purpose(self) -> str:
        """What it is for, as a sentence continues after "works there"."""
        match self.kind:
            case ErrandKind.LOOK:
                return "to look at its agent"
            case _:
                return f"to {self.kind} process {self.process} of its agent"


@dataclass(frozen=True, slots=True)
class ClaimedErrand:
    """An errand that a worker has taken; no other worker gets it."""

    errand: Errand
    left: int
    """Milliseconds for which the client will still wait."""


@dataclass(frozen=True, slots=True)
class ErrandFailed:
    """The errand could not be done."""

    sentence: str
    """Why, and what to do about it."""
    refused: bool = False
    """Whether the agent's state forbids it, so that nothing was done."""


ErrandAnswer = AgentInspection | ErrandFailed
"""The result of an errand."""
