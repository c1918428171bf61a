"""Looks at the agent of one host, and changes one of its processes, while the client waits."""

from dataclasses import dataclass

from app.agents.errand_client import ErrandClient
from app.context import Context
from app.hosts.service import read_host
from core.agent import AGENTD, PROCESS_IDS, InspectedAgent
from core.errand import ErrandKind
from core.errors import AgentStateInvalid, NotFound
from core.host import Host
from core.text import say


@dataclass(frozen=True, slots=True)
class ProcessTarget:
    """A process of an agent, by the ids that a request names."""

    host_id: int
    process_id: int


async def look_at_agent(context: Context, errands: ErrandClient, host_id: int, trace_id: str) -> InspectedAgent:
    """Have a worker look at the agent of a host.

    Raises:
        NotFound: the host does not exist.
        HostFailed: the look failed.
        Unavailable: no worker answered in time, or too many requests wait.
    """
    host = await read_host(context, host_id)
    return InspectedAgent(host, await errands.run(ErrandKind.LOOK, host_id, None, trace_id), context.clock())


async def change_process(
    context: Context, errands: ErrandClient, kind: ErrandKind, target: ProcessTarget, trace_id: str
) -> InspectedAgent:
    """Have a worker stop or restart one process of the agent of a host, and then look at the agent.

    Raises:
        NotFound: the host does not exist, or an agent has no such process.
        AgentStateInvalid: the process cannot be changed by itself, or the host is not free.
        HostFailed: the change failed.
        Unavailable: no worker answered in time, or too many requests wait.
    """
    host = await read_host(context, target.host_id)
    name = name_process(host, target.process_id)
    if name == AGENTD:
        path = f"POST /api/v2/compute/hosts/{target.host_id}/agent/{kind}"
        raise AgentStateInvalid(
            say(
                "agentProcessId: {name} manages the others and cannot be changed by itself. For the whole agent, use "
                "{path}.",
                name=f"{host.target.agent_prefix}_{AGENTD}",
                path=path,
            )
        )
    return InspectedAgent(host, await errands.run(kind, target.host_id, name, trace_id), context.clock())


def name_process(host: Host, process_id: int) -> str:
    """Return the name of the process of the agent that has an id.

    Raises:
        NotFound: no process has it.
    """
    for name, number in PROCESS_IDS.items():
        if number == process_id:
            return name
    known = ", ".join(f"{number} ({host.target.agent_prefix}_{name})" for name, number in PROCESS_IDS.items())
    raise NotFound(
        say(
            "agentProcessId: the agent of host {id} has no process {process}. It has {known}.",
            id=host.target.host_id,
            process=process_id,
            known=known,
        )
    )
