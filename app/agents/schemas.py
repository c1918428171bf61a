"""The schemas of replies about agents, for the OpenAPI document."""

from typing import Literal

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.host import AgentStatus


class HostAgentProcess(Wire):
    """A process of an agent. What is not known is null, and so is what a stopped process does not have."""

    alias: str = Field(description="its name on the host, such as ocp_mgragent")
    create_time: Moment = Field(description="when its host was added to the inventory")
    elapsed_time: int = Field(description="for how many seconds it has run; 0 where it does not run")
    host_id: Long = Field(description="its host")
    id: Literal[1, 2, 3] = Field(description="the same on every host: 1 is agentd, 2 mgragent, 3 monagent")
    last_active_time: Moment | None = Field(description="when this request saw it run")
    log_file_pattern: str = Field(description="its log files on the host")
    operable: bool = Field(description="whether it can be stopped and restarted by itself, which only agentd cannot")
    pid: int = Field(description="its process id; 0 where it does not run")
    ports: str | None = Field(description="the TCP ports that it serves, separated by commas; empty for none")
    start_command: str | None = Field(description="the command line that started it")
    status: Literal["STARTED", "STOPPED"] = Field(description="whether it runs")
    update_time: Moment = Field(description="when this request looked at the host")
    user: str | None = Field(description="the user that it runs as")


class HostAgent(Wire):
    """The agent of a host, as this request found it."""

    create_time: Moment = Field(description="when its host was added to the inventory")
    host_id: Long = Field(description="its host")
    host_inner_ip_address: str = Field(description="the IP address of its host")
    id: Long = Field(description="the same as hostId")
    install_home: str = Field(description="its directory on the host")
    last_available_time: Moment | None = Field(description="when this request saw it run; null where it does not")
    log_home: str = Field(description="the directory of its logs")
    processes: list[HostAgentProcess] = Field(description="its processes, by id")
    status: AgentStatus = Field(
        description="its status: by the task that holds the host, else by what this request found"
    )
    update_time: Moment = Field(description="when this request looked at the host")
    version: str | None = Field(description="its version; null where it is not installed")


class HostAgentProcessPage(Page[HostAgentProcess]):
    """A page of an agent's processes."""
