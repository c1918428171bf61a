"""A host as OCP shows it. What the inventory does not know is null, as in OCP's own replies."""

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256

from app.http.wire import long, stamp_seconds
from core.host import AgentStatus, Host


def host_document(host: Host) -> dict[str, object]:
    """Return OCP's Host, and beside its fields how a worker reaches the host and which task holds it."""
    target, details = host.target, host.details
    return {
        "agentHome": target.agent_home,
        "agentPrefix": target.agent_prefix,
        "alias": host.alias,
        "architecture": None,
        "createTime": stamp_seconds(host.created),
        "description": details.description,
        "holderTaskId": None if host.holder is None else long(host.holder),
        "hostAgentId": None if host.agent_status is AgentStatus.DELETED else long(target.host_id),
        "hostAgentStatus": host.agent_status,
        "hostAgentVersion": host.agent_version,
        "hostKeyFingerprint": None if target.host_key is None else fingerprint(target.host_key),
        "id": long(target.host_id),
        "idcDescription": None,
        "idcId": None if details.idc_id is None else long(details.idc_id),
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
        "typeId": None if details.type_id is None else long(details.type_id),
        "typeName": None,
        "updateTime": stamp_seconds(host.updated),
    }


def fingerprint(key: str) -> str | None:
    """Return the SHA256 fingerprint of a public key in OpenSSH's one-line form, as `ssh-keygen -l` prints it.

    None where the text is no such line.
    """
    try:
        blob = b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return None
    return "SHA256:" + b64encode(sha256(blob).digest()).decode().rstrip("=")
