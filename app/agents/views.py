"""The agent of a host, and its processes, as OCP shows them. Their ids are the host's, and the process's place."""

from app.http.wire import long, stamp_seconds
from core.agent import AGENTD, NAMES, PROCESS_IDS, InspectedAgent
from core.host import AgentStatus

Document = dict[str, object]


def agent_document(seen: InspectedAgent) -> Document:
    """Return OCP's HostAgent."""
    target = seen.host.target
    home = target.agent_home.rstrip("/")
    runs = seen.found.status is AgentStatus.AVAILABLE
    return {
        "createTime": stamp_seconds(seen.host.created),
        "hostId": long(target.host_id),
        "hostInnerIpAddress": target.address,
        "id": long(target.host_id),
        "installHome": home,
        "lastAvailableTime": stamp_seconds(seen.at) if runs else None,
        "logHome": f"{home}/log",
        "processes": process_documents(seen),
        "status": seen.status,
        "updateTime": stamp_seconds(seen.at),
        "version": seen.found.version,
    }


def process_documents(seen: InspectedAgent) -> list[Document]:
    """Return OCP's HostAgentProcess of each of the agent's processes, by id."""
    return [process_document(seen, name) for name in NAMES]


def process_document(seen: InspectedAgent, name: str) -> Document:
    """Return OCP's HostAgentProcess of one process. What is not known of it, or it does not have, is null."""
    target, process = seen.host.target, seen.process(name)
    ports = None if process.ports is None else ",".join(map(str, process.ports))
    return {
        "alias": f"{target.agent_prefix}_{name}",
        "createTime": stamp_seconds(seen.host.created),
        "elapsedTime": process.elapsed,
        "hostId": long(target.host_id),
        "id": PROCESS_IDS[name],
        "lastActiveTime": stamp_seconds(seen.at) if process.is_running else None,
        "logFilePattern": f"{target.agent_home.rstrip('/')}/log/{name}.log*",
        "operable": name != AGENTD,
        "pid": process.pid,
        "ports": ports,
        "startCommand": process.command,
        "status": "STARTED" if process.is_running else "STOPPED",
        "updateTime": stamp_seconds(seen.at),
        "user": process.user,
    }
