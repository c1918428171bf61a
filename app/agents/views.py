"""Renders agents and their processes for replies, as OCP does. An agent has the id of its host."""

from app.http.wire import format_id, format_seconds
from core.agent import AGENTD, NAMES, PROCESS_IDS, InspectedAgent
from core.host import AgentStatus

Document = dict[str, object]


def render_agent(seen: InspectedAgent) -> Document:
    """Return OCP's HostAgent."""
    target = seen.host.target
    home = target.agent_home.rstrip("/")
    runs = seen.found.status is AgentStatus.AVAILABLE
    return {
        "createTime": format_seconds(seen.host.created),
        "hostId": format_id(target.host_id),
        "hostInnerIpAddress": target.address,
        "id": format_id(target.host_id),
        "installHome": home,
        "lastAvailableTime": format_seconds(seen.at) if runs else None,
        "logHome": f"{home}/log",
        "processes": render_processes(seen),
        "status": seen.status,
        "updateTime": format_seconds(seen.at),
        "version": seen.found.version,
    }


def render_processes(seen: InspectedAgent) -> list[Document]:
    """Return OCP's HostAgentProcess of each of the agent's processes, by id."""
    return [render_process(seen, name) for name in NAMES]


def render_process(seen: InspectedAgent, name: str) -> Document:
    """Return OCP's HostAgentProcess of one process. What the process does not have, or is not known of it, is null."""
    target, process = seen.host.target, seen.process(name)
    ports = None if process.ports is None else ",".join(map(str, process.ports))
    return {
        "alias": f"{target.agent_prefix}_{name}",
        "createTime": format_seconds(seen.host.created),
        "elapsedTime": process.elapsed,
        "hostId": format_id(target.host_id),
        "id": PROCESS_IDS[name],
        "lastActiveTime": format_seconds(seen.at) if process.is_running else None,
        "logFilePattern": f"{target.agent_home.rstrip('/')}/log/{name}.log*",
        "operable": name != AGENTD,
        "pid": process.pid,
        "ports": ports,
        "startCommand": process.command,
        "status": "STARTED" if process.is_running else "STOPPED",
        "updateTime": format_seconds(seen.at),
        "user": process.user,
    }
