"""Reads what the agent says of itself: the document of its status."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoAnswer, NoProgram, Unclear, read_reply
from workers.executor.base import Completed


@dataclass(frozen=True, slots=True)
class Service:
    """A process that agentd looks after, as agentd sees it."""

    name: str
    state: str
    """running; stopped: agentd no longer starts it again; unknown: it lives and does not answer."""
    pid: int
    """0 where it never ran."""
    ports: tuple[int, ...] = ()
    """The TCP ports that it serves."""


@dataclass(frozen=True, slots=True)
class AgentdStatus:
    """The status that a live agentd gives."""

    state: str
    """agentd's own: starting, running or stopping."""
    ready: bool
    """Whether agentd and all services run."""
    pid: int
    """agentd's."""
    services: tuple[Service, ...]

    @property
    def abandoned_services(self) -> frozenset[str]:
        """The services that a running agentd does not start again."""
        stopped = (service.name for service in self.services if service.state == "stopped")
        return frozenset(stopped if self.state == "running" else ())

    @override
    def __str__(self) -> str:
        services = ", ".join(f"{service.name} {service.state}" for service in self.services)
        return f"agentd {self.pid} says {self.state}" + f" ({services})" * bool(services)


StatusReply: TypeAlias = AgentdStatus | Declined | NoProgram | Forbidden | Unclear | NoAnswer
"""What asking for the status can bring."""


def read_status(completed: Completed) -> StatusReply:
    """Return what a call for the status that has ended means. While agentd is down it is always `Declined`."""
    reply = read_reply(completed)
    if not isinstance(reply, Accepted):
        return reply
    match reply.message:
        case {"state": str(state), "ready": bool(ready), "pid": int(pid), "services": dict(documents)}:
            services = sorted(_parse_services(documents), key=lambda service: service.name)
            return AgentdStatus(state, ready, pid, tuple(services))
        case other:
            return Unclear(f"the agent's status is {str(other)[:300]!r}")


def _parse_services(documents: Mapping[object, object]) -> Iterator[Service]:
    for name, document in documents.items():
        match document:
            case {"state": str(state), "pid": int(pid), **more}:
                yield Service(str(name), state, pid, _parse_ports(more.get("ports")))
            case _:
                yield Service(str(name), "unknown", 0)


def _parse_ports(ports: object) -> tuple[int, ...]:
    return tuple(port for port in ports if isinstance(port, int)) if isinstance(ports, list) else ()
