"""The schemas of replies about hosts, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from app.tasks.schemas import TaskInstance
from core.host import AgentStatus, HostKind, HostStatus


class Host(Wire):
    """A host. What the inventory does not know is null."""

    agent_home: str = Field(description="the agent's directory on the host")
    agent_prefix: str = Field(description="the prefix of its programs' names: ocp or ob")
    alias: str | None = Field(description="a name for people")
    architecture: str | None
    create_time: Moment = Field(description="when it was added to the inventory")
    description: str | None = Field(description="a note from the person who added it")
    holder_task_id: Long | None = Field(description="the task that holds it; null where none does")
    host_agent_id: Long | None = Field(description="the same as id; null where no agent was found")
    host_agent_status: AgentStatus = Field(description="the status of its agent")
    host_agent_version: str | None
    host_key_fingerprint: str | None = Field(
        description="the fingerprint of the pinned SSH host key; null where none is pinned"
    )
    id: Long = Field(description="its id in the inventory")
    idc_description: str | None
    idc_id: Long | None
    idc_name: str | None
    inner_ip_address: str = Field(description="its IP address")
    kind: HostKind = Field(description="what kind of machine it is")
    name: str | None
    operating_system: str | None
    operating_system_release: str | None
    protected: bool = Field(description="whether it is protected from all requests")
    publish_ports: str | None = Field(description="a container's port mapping")
    region_description: str | None
    region_id: Long | None
    region_name: str | None
    serial_number: str | None
    services: list[object]
    ssh_port: int = Field(description="the TCP port of its sshd")
    ssh_user: str = Field(description="the user that workers log in as")
    status: HostStatus = Field(description="its status")
    sudo: bool = Field(description="whether commands run through sudo -n")
    type_description: str | None
    type_id: Long | None
    type_name: str | None
    update_time: Moment = Field(description="when it last changed")


class HostPage(Page[Host]):
    """A page of hosts, in id order."""


class PreparingTasks(Wire):
    """The tasks that prepare the added hosts."""

    contents: list[TaskInstance] = Field(description="one task for each host, in the order of the request")
