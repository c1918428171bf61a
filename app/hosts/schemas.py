"""The schemas of replies about hosts, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from app.tasks.schemas import TaskInstance
from core.host import AgentStatus, HostKind, HostStatus


class Host(Wire):
    """A host. Null is what the inventory does not know."""

    agent_home: str = Field(description="the agent's directory on the host")
    agent_prefix: str = Field(description="what the names of its programs start with: ocp or ob")
    alias: str | None = Field(description="a name for people")
    architecture: str | None
    create_time: Moment = Field(description="when it was imported")
    description: str | None = Field(description="what people noted of it when they added it")
    holder_task_id: Long | None = Field(description="the task that works on it; null where it is free")
    host_agent_id: Long | None = Field(description="the same as id; null where no agent was found")
    host_agent_status: AgentStatus = Field(description="where its agent stands")
    host_agent_version: str | None
    host_key_fingerprint: str | None = Field(description="of the pinned SSH host key; null where none is pinned")
    id: Long = Field(description="its id in the inventory")
    idc_description: str | None
    idc_id: Long | None
    idc_name: str | None
    inner_ip_address: str = Field(description="where it is reached")
    kind: HostKind = Field(description="what kind of machine it is")
    name: str | None
    operating_system: str | None
    operating_system_release: str | None
    protected: bool = Field(description="whether no request touches it")
    publish_ports: str | None = Field(description="a container's port mapping")
    region_description: str | None
    region_id: Long | None
    region_name: str | None
    serial_number: str | None
    services: list[object]
    ssh_port: int = Field(description="the TCP port of its sshd")
    ssh_user: str = Field(description="whom workers log in as")
    status: HostStatus = Field(description="where it stands")
    sudo: bool = Field(description="whether commands run through sudo -n")
    type_description: str | None
    type_id: Long | None
    type_name: str | None
    update_time: Moment = Field(description="when it last changed")


class HostPage(Page[Host]):
    """A page of hosts, in id order."""


class PreparingTasks(Wire):
    """The tasks that prepare hosts which were added."""

    contents: list[TaskInstance] = Field(
        description="one for each host, in the order of the request; each names its host"
    )
