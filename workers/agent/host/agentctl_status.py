"""What the agent says of itself: the document of its status."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, Missing, NoAnswer, Unclear, read_answer
from workers.executor.base import Completed


@dataclass(frozen=True, slots=True)
class Service:
    """A process that agentd looks after, as agentd has it."""

    name: str
    state: str
    """running; stopped: agentd has given it up; unknown: it lives and does not answer."""
    pid: int
    """0 where it never ran."""
    ports: tuple[int, ...] = ()
    """The TCP ports that it serves."""


@dataclass(frozen=True, slots=True)
class Report:
    """An answer of a live agentd."""

    state: str
    """agentd's own: starting, running or stopping."""
    ready: bool
    """Whether agentd and all services run."""
    pid: int
    """agentd's."""
    services: tuple[Service, ...]

    @property
    def given_up(self) -> frozenset[str]:
        """The services that a running agentd does not start again."""
        stopped = (service.name for service in self.services if service.state == "stopped")
        return frozenset(stopped if self.state == "running" else ())

    @override
    def __str__(self) -> str:
        services = ", ".join(f"{service.name} {service.state}" for service in self.services)
        return f"agentd {self.pid} says {self.state}" + f" ({services})" * bool(services)


Said: TypeAlias = Report | Declined | Missing | Forbidden | Unclear | NoAnswer
"""How asking for the status can end."""


def read_report(completed: Completed) -> Said:
    """Tell what an ended call for the status means. With agentd down it is always `Declined`."""
    answer = read_answer(completed)
    if not isinstance(answer, Accepted):
        return answer
    match answer.message:
        case {"state": str(state), "ready": bool(ready), "pid": int(pid), "services": dict(services)}:
            return Report(state, ready, pid, tuple(sorted(_services(services), key=lambda service: service.name)))
        case other:
            return Unclear(f"the agent's status is {str(other)[:300]!r}")


def _ports(told: object) -> tuple[int, ...]:
    return tuple(port for port in told if isinstance(port, int)) if isinstance(told, list) else ()


def _services(documents: Mapping[object, object]) -> list[Service]:
    services = []
    for name, document in documents.items():
        match document:
            case {"state": str(state), "pid": int(pid), **more}:
                services.append(Service(str(name), state, pid, _ports(more.get("ports"))))
            case _:
                services.append(Service(str(name), "unknown", 0))
    return services
