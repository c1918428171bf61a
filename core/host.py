"""The hosts of the inventory, their states, and how a worker reaches them."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Final


class HostStatus(StrEnum):
    """A host's status, as OCP's console shows it."""

    NEW = "NEW"
    """Just added, without an agent yet."""
    AVAILABLE = "AVAILABLE"
    """Idle and usable."""
    ONLINE = "ONLINE"
    """A service runs on it, and its agent reports."""
    OFFLINE = "OFFLINE"
    """Its agent is stopped or is being stopped."""
    DELETING = "DELETING"
    """It is being removed from the inventory."""


class AgentStatus(StrEnum):
    """The status of the agent on a host, as OCP shows it (`hostAgentStatus`)."""

    AVAILABLE = "AVAILABLE"
    """It runs."""
    RESTARTING = "RESTARTING"
    """A task that holds the host is restarting or starting it. OCP has no word for a start."""
    STOPPING = "STOPPING"
    """A task that holds the host is stopping it."""
    REINSTALLING = "REINSTALLING"
    """A task that holds the host is reinstalling it."""
    OFFLINE = "OFFLINE"
    """It is stopped."""
    DELETED = "DELETED"
    """It was removed from the host."""


@dataclass(frozen=True, slots=True)
class HostState:
    """The status of a host and of its agent, as OCP shows them."""

    host: HostStatus
    """The host's status."""
    agent: AgentStatus
    """Its agent's status."""


STOPPED: Final = HostState(HostStatus.OFFLINE, AgentStatus.OFFLINE)
"""A host whose agent does not run."""
RUNNING: Final = HostState(HostStatus.ONLINE, AgentStatus.AVAILABLE)
"""A host whose agent runs."""
STOPPING: Final = HostState(HostStatus.OFFLINE, AgentStatus.STOPPING)
"""A host whose agent a task is stopping."""
RESTARTING: Final = HostState(HostStatus.OFFLINE, AgentStatus.RESTARTING)
"""A host whose agent a task is restarting or starting."""
WITHOUT_AGENT: Final = HostState(HostStatus.NEW, AgentStatus.DELETED)
"""A host on which no agent has been found yet."""


def infer_state(*, agent_alive: bool | None) -> HostState | None:
    """Return a host's state from what the last look found of its agent; None where there was no look."""
    if agent_alive is None:
        return None
    return RUNNING if agent_alive else STOPPED


def parse_host_address(text: str) -> str:
    """Return the IP address of a host in the one form in which addresses are stored and compared.

    An IPv4 address that is written as an IPv6 address becomes IPv4, so that no host has two addresses.

    Raises:
        ValueError: the text is not an IP address, or no host can have it (unspecified, multicast).
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_multicast:
        raise ValueError(text)
    return str(address)


@dataclass(frozen=True, slots=True)
class Target:
    """All that a worker needs to reach one host. It holds no secret: only the workers have the keys."""

    host_id: int
    """The host's id in the inventory."""
    address: str
    """Its IP address (`innerIpAddress`)."""
    port: int
    """The TCP port of its sshd."""
    user: str
    """The user to log in as."""
    agent_home: str
    """The agent's directory on the host, absolute, such as /home/admin/ocp_agent."""
    agent_prefix: str
    """The prefix of its programs' names: `ocp` or `ob`."""
    sudo: bool
    """Whether commands run through ``sudo -n``."""
    host_key: str | None
    """The pinned public host key, in OpenSSH's one-line form without a comment; None if none is pinned."""

    @property
    def endpoint(self) -> str:
        """The address and the port, as people write them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class HostKind(StrEnum):
    """The kinds of machines that OCP knows."""

    DEDICATED_PHYSICAL_MACHINE = "DEDICATED_PHYSICAL_MACHINE"
    """A physical machine."""
    DEDICATED_CONTAINER = "DEDICATED_CONTAINER"
    """A container."""
    DEDICATED_ECS = "DEDICATED_ECS"
    """A virtual machine of a cloud."""


@dataclass(frozen=True, slots=True)
class HostDetails:
    """What else OCP keeps of a host. Nothing in ocpfleet depends on it."""

    kind: HostKind = HostKind.DEDICATED_PHYSICAL_MACHINE
    idc_id: int | None = None
    """The number of its data centre; ocpfleet has no list of data centres."""
    type_id: int | None = None
    """The number of its model; ocpfleet has no list of models."""
    publish_ports: str | None = None
    """A container's port mapping."""
    serial_number: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the inventory, its state and its holder. Times are milliseconds since the epoch."""

    target: Target
    """How to reach it."""
    alias: str | None
    """A unique name for people; None if it has none."""
    status: HostStatus
    """Its status, as OCP shows it."""
    agent_status: AgentStatus
    """Its agent's status, as OCP shows it."""
    agent_version: str | None
    """The agent's version; None where it is unknown."""
    holder: int | None
    """The id of the task that holds it; None if no task does."""
    created: int
    """When it was added."""
    updated: int
    """When it last changed."""
    details: HostDetails = HostDetails()
    """What else OCP keeps of it."""
    protected: bool = False
    """Whether requests must leave it alone. A host is held or protected, never both."""

    @property
    def state(self) -> HostState:
        """Its status and its agent's."""
        return HostState(self.status, self.agent_status)
