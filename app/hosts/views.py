"""Renders hosts for replies, as OCP does. What the inventory does not know is null."""

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256

from app.http.wire import format_id, format_seconds
from core.host import AgentStatus, Host


def render_host(host: Host) -> dict[str, object]:
    """Return OCP's Host, with more fields: how a worker reaches the host, and which task holds it."""
    target, details = host.target, host.details
    return {
        "agentHome": target.agent_home,
        "agentPrefix": target.agent_prefix,
        "alias": host.alias,
        "architecture": None,
        "createTime": format_seconds(host.created),
        "description": details.description,
        "holderTaskId": None if host.holder is None else format_id(host.holder),
        "hostAgentId": None if host.agent_status is AgentStatus.DELETED else format_id(target.host_id),
        "hostAgentStatus": host.agent_status,
        "hostAgentVersion": host.agent_version,
        "hostKeyFingerprint": None if target.host_key is None else compute_fingerprint(target.host_key),
        "id": format_id(target.host_id),
        "idcDescription": None,
        "idcId": None if details.idc_id is None else format_id(details.idc_id),
        "idcName": None,
        "innerIpAddress": target.address,
        "kind": details.kind,
        "name": None,
        "operatingSystem": None,
        "operatingSystemRelease": None,
        "protected": host.protected,
        "publishPorts": details.publish_ports,
        "regionDescription": None,
        "regionId": None,
        "regionName": None,
        "serialNumber": details.serial_number,
        "services": [],
        "sshPort": target.port,
        "sshUser": target.user,
        "status": host.status,
        "sudo": target.sudo,
        "typeDescription": None,
        "typeId": None if details.type_id is None else format_id(details.type_id),
        "typeName": None,
        "updateTime": format_seconds(host.updated),
    }


def compute_fingerprint(key: str) -> str | None:
    """Return the SHA256 fingerprint of a public key in OpenSSH's one-line form, as `ssh-keygen -l` prints it.

    None where the text is not such a line.
    """
    try:
        blob = b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return None
    return "SHA256:" + b64encode(sha256(blob).digest()).decode().rstrip("=")
