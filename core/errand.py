"""An errand: something small that an API process has a worker do on one host while a client waits for the answer.

The API reaches no hosts, since the keys live with the workers. An errand is no task: nothing of it is kept.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.agent import AgentInspection


class ErrandKind(StrEnum):
    """What is to be done."""

    LOOK = "look"
    """Look at the agent's processes."""
    STOP = "stop"
    """Stop one of them, then look."""
    RESTART = "restart"
    """Restart one of them, or start it where it does not run, then look."""

    @property
    def is_change(self) -> bool:
        """Whether something on the host becomes another, so that nobody else may work there meanwhile."""
        return self is not ErrandKind.LOOK


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done on a host, and for whom. Holds no secret."""

    id: str
    """Random, so that nobody guesses it; also the name of its lease on the host."""
    kind: ErrandKind
    host_id: int
    process: str | None
    """Which of the agent's processes, one of `core.agent.NAMES`; None for a look."""
    trace_id: str
    """The request's, for the logs."""

    @property
    def purpose(self) -> str:
        """What it is for, as in "works there …"."""
        match self.kind:
            case ErrandKind.LOOK:
                return "to look at its agent"
            case _:
                return f"to {self.kind} process {self.process} of its agent"


@dataclass(frozen=True, slots=True)
class ClaimedErrand:
    """An errand that a worker has taken. Nobody else gets it."""

    errand: Errand
    left: int
    """Milliseconds for which somebody still waits for the answer."""


@dataclass(frozen=True, slots=True)
class ErrandFailed:
    """The errand could not be done."""

    sentence: str
    """Why, and the way out."""
    refused: bool = False
    """Whether the agent's state forbids it, and nothing was done."""


ErrandAnswer = AgentInspection | ErrandFailed
"""What comes back from a host."""
