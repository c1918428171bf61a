"""A host of the inventory, and how a worker reaches it."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Final


class HostStatus(StrEnum):
    """What OCP's console shows of a host."""

    NEW = "NEW"
    """Just added; no agent yet."""
    AVAILABLE = "AVAILABLE"
    """Idle and usable."""
    ONLINE = "ONLINE"
    """A service runs on it and its agent reports."""
    OFFLINE = "OFFLINE"
    """Its agent is stopped, or on its way there."""
    DELETING = "DELETING"
    """On its way out of the inventory."""


class AgentStatus(StrEnum):
    """What OCP shows of the agent on a host (`hostAgentStatus`)."""

    AVAILABLE = "AVAILABLE"
    """It runs."""
    RESTARTING = "RESTARTING"
    """A task that holds the host is restarting or starting it; OCP has no word for a start."""
    STOPPING = "STOPPING"
    """A task that holds the host is stopping it."""
    REINSTALLING = "REINSTALLING"
    """A task that holds the host is installing it anew."""
    OFFLINE = "OFFLINE"
    """It is stopped."""
    DELETED = "DELETED"
    """It was removed from the host."""


@dataclass(frozen=True, slots=True)
class HostState:
    """Where a host and the agent on it stand, as OCP shows them."""

    host: HostStatus
    """The host's own."""
    agent: AgentStatus
    """Its agent's."""


STOPPED: Final = HostState(HostStatus.OFFLINE, AgentStatus.OFFLINE)
"""A host whose agent does not run."""
RUNNING: Final = HostState(HostStatus.ONLINE, AgentStatus.AVAILABLE)
"""A host whose agent runs."""
STOPPING: Final = HostState(HostStatus.OFFLINE, AgentStatus.STOPPING)
"""A host whose agent a task is stopping."""
RESTARTING: Final = HostState(HostStatus.OFFLINE, AgentStatus.RESTARTING)
"""A host whose agent a task is restarting or starting."""
WITHOUT_AGENT: Final = HostState(HostStatus.NEW, AgentStatus.DELETED)
"""A host on which no agent was found yet."""


def infer_state(agent_alive: bool | None) -> HostState | None:  # noqa: FBT001 - the answer of a look
    """Return what the last look at a host means for where it stands; None where nobody looked."""
    if agent_alive is None:
        return None
    return RUNNING if agent_alive else STOPPED


def parse_host_address(text: str) -> str:
    """Return an IP address that a host can have, in the one form in which it is stored and compared.

    An IPv4 address that is written as one of IPv6 is what it stands for, so that no host has two.

    Raises:
        ValueError: it is no IP address, or one that no host has (unspecified, multicast).
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_multicast:
        raise ValueError(text)
    return str(address)


@dataclass(frozen=True, slots=True)
class Target:
    """All that a worker needs to work on one host. Holds no secret: keys live with the workers."""

    host_id: int
    """The host's id in the inventory."""
    address: str
    """Its IP address (`innerIpAddress`)."""
    port: int
    """The TCP port of its sshd."""
    user: str
    """Whom to log in as."""
    agent_home: str
    """The agent's directory on the host, absolute, such as /home/admin/ocp_agent."""
    agent_prefix: str
    """What the names of its programs start with: `ocp` or `ob`."""
    sudo: bool
    """Whether commands run through ``sudo -n``."""
    host_key: str | None
    """The pinned public host key, in OpenSSH's one-line form without a comment; None where none is pinned."""

    @property
    def endpoint(self) -> str:
        """Address and port, as people write them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class HostKind(StrEnum):
    """What kind of machine a host is, as OCP knows them."""

    DEDICATED_PHYSICAL_MACHINE = "DEDICATED_PHYSICAL_MACHINE"
    """A machine of its own."""
    DEDICATED_CONTAINER = "DEDICATED_CONTAINER"
    """A container."""
    DEDICATED_ECS = "DEDICATED_ECS"
    """A machine of a cloud."""


@dataclass(frozen=True, slots=True)
class HostDetails:
    """What OCP keeps of a host beside how it is reached. Nothing here depends on it."""

    kind: HostKind = HostKind.DEDICATED_PHYSICAL_MACHINE
    idc_id: int | None = None
    """The number of its data centre; ocpfleet keeps no list of these."""
    type_id: int | None = None
    """The number of its model, likewise."""
    publish_ports: str | None = None
    """A container's port mapping."""
    serial_number: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the inventory, with its state and who holds it. Times are milliseconds since the epoch."""

    target: Target
    """How to reach it."""
    alias: str | None
    """A name for people; unique where given."""
    status: HostStatus
    """Its state as OCP shows it."""
    agent_status: AgentStatus
    """Its agent's state as OCP shows it."""
    agent_version: str | None
    """The agent's version where it is known."""
    holder: int | None
    """The id of the task that holds it; None where it is free."""
    created: int
    """When it was imported."""
    updated: int
    """When it last changed."""
    details: HostDetails = HostDetails()
    """What OCP keeps of it beside."""
    protected: bool = False
    """Whether no request touches it. A host is held or protected, never both."""

    @property
    def state(self) -> HostState:
        """Where it and its agent stand."""
        return HostState(self.status, self.agent_status)
