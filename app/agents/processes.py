"""To look at the agent of one host, and to work on one of its processes, while the client waits."""

from app.context import Fleet
from app.hosts.service import read_host
from core.agent import AGENTD, PROCESS_IDS, InspectedAgent
from core.errand import ErrandKind
from core.errors import AgentStateInvalid, NotFound
from core.host import Host
from core.text import say


async def look_at_agent(fleet: Fleet, host_id: int, trace_id: str) -> InspectedAgent:
    """Have a worker look at the agent of a host.

    Raises:
        NotFound: there is no such host.
        HostFailed: it could not be looked at.
        Unavailable: no worker answered in time, or too many requests wait.
    """
    return await _run(fleet, ErrandKind.LOOK, await read_host(fleet, host_id), None, trace_id)


async def change_process(
    fleet: Fleet, kind: ErrandKind, host_id: int, process_id: int, trace_id: str
) -> InspectedAgent:
    """Have a worker stop or restart one process of the agent of a host, and look at the agent then.

    Raises:
        NotFound: there is no such host, or an agent has no such process.
        AgentStateInvalid: the process cannot be worked on by itself, or the host is not free for it.
        HostFailed: it was not done.
        Unavailable: no worker answered in time, or too many requests wait.
    """
    host = await read_host(fleet, host_id)
    name = process_name(host, process_id)
    if name == AGENTD:
        path = f"POST /api/v2/compute/hosts/{host_id}/agent/{kind}"
        raise AgentStateInvalid(
            say(
                "agentProcessId: {name} looks after the others and is not operable by itself. "
                "For the whole agent, {path}.",
                name=f"{host.target.agent_prefix}_{AGENTD}",
                path=path,
            )
        )
    return await _run(fleet, kind, host, name, trace_id)


def process_name(host: Host, process_id: int) -> str:
    """Return which of the agent's processes an id stands for.

    Raises:
        NotFound: none.
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


async def _run(fleet: Fleet, kind: ErrandKind, host: Host, process: str | None, trace_id: str) -> InspectedAgent:
    found = await fleet.desk.run(kind, host.target.host_id, process, trace_id)
    return InspectedAgent(host, found, fleet.clock())
