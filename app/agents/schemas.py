"""The schemas of replies about agents, for the OpenAPI document."""

from typing import Literal

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.host import AgentStatus


class HostAgentProcess(Wire):
    """A process of an agent. Null is what is not known, and everything that a process which does not run has not."""

    alias: str = Field(description="its name on the host, such as ocp_mgragent")
    create_time: Moment = Field(description="when its host came into the inventory")
    elapsed_time: int = Field(description="for how many seconds it has been running; 0 where it does not")
    host_id: Long = Field(description="its host")
    id: Literal[1, 2, 3] = Field(description="on every host alike: 1 is agentd, 2 mgragent, 3 monagent")
    last_active_time: Moment | None = Field(description="when it was seen running just now")
    log_file_pattern: str = Field(description="its log files on the host")
    operable: bool = Field(description="whether it can be stopped and restarted by itself: all but agentd")
    pid: int = Field(description="0 where it does not run")
    ports: str | None = Field(description="the TCP ports that it serves, several with commas; empty for none")
    start_command: str | None = Field(description="the words that it was started with")
    status: Literal["STARTED", "STOPPED"] = Field(description="whether it runs")
    update_time: Moment = Field(description="when the host was looked at")
    user: str | None = Field(description="whose it is")


class HostAgent(Wire):
    """The agent of a host, as a look has just found it."""

    create_time: Moment = Field(description="when its host came into the inventory")
    host_id: Long = Field(description="its host")
    host_inner_ip_address: str = Field(description="where that is reached")
    id: Long = Field(description="the same as hostId")
    install_home: str = Field(description="its directory on the host")
    last_available_time: Moment | None = Field(description="when it was seen running just now; null where it does not")
    log_home: str = Field(description="the directory of its logs")
    processes: list[HostAgentProcess] = Field(description="its processes, by id")
    status: AgentStatus = Field(
        description="where it stands: as the task says that holds the host, else as the look found it"
    )
    update_time: Moment = Field(description="when the host was looked at")
    version: str | None = Field(description="as it says itself; null where it is not installed")


class HostAgentProcessPage(Page[HostAgentProcess]):
    """A page of an agent's processes."""
