"""What replies about agents on hosts look like, and the body that adds hosts, for the OpenAPI document.

As in `app.http.schemas`, replies are tested against these; the body is read by them.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from app.http.schemas import Long, Moment, PageNumber, TaskInstance, Wire
from core.host import AgentStatus, HostKind, parse_host_address
from core.text import say


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


class HostAgentProcessPage(Wire):
    """A page of an agent's processes."""

    contents: list[HostAgentProcess] = Field(description="the processes, by id")
    page: PageNumber = Field(description="where the page lies")


class PreparingTasks(Wire):
    """The tasks that prepare hosts which were added."""

    contents: list[TaskInstance] = Field(
        description="one for each host, in the order of the request; each names its host"
    )


LONGEST_ID = 2**63 - 1
_LARGEST_PORT = 65535
_SHORT = 128
"""Most characters of an alias, a serial number and a port mapping."""
_LONG = 1024
"""Most characters of a description."""


_WITHOUT_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""Text without control characters: it stands in one line wherever it is shown."""


def _address(text: str) -> str:
    try:
        return parse_host_address(text)
    except ValueError:
        raise ValueError(say("no IP address of a host. Write the host's own, such as 10.0.0.7 or fd00::7")) from None


def _printable(text: str) -> str:
    if not re.fullmatch(_WITHOUT_CONTROLS, text):
        raise ValueError(say("not printable. Write printable characters only"))
    return text


def _integral(value: object) -> object:
    """Return a number that is whole as an integer: to JSON 22.0 is the same as 22."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integral = BeforeValidator(_integral)
"""It stands last: before the limits of the number it would hide them from the OpenAPI document."""
Number = Annotated[int, Field(ge=1, le=LONGEST_ID), Integral]
Short = Annotated[
    str, Field(max_length=_SHORT, json_schema_extra={"pattern": _WITHOUT_CONTROLS}), AfterValidator(_printable)
]


_AN_ADDRESS: JsonDict = {
    "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
    "not": {"pattern": r"^(0\.0\.0\.0$|2(2[4-9]|3\d)\.|[fF][fF]|[0:]+$)"},
}
"""An address that a host can have: none that is unspecified or multicast."""


class HostBasicData(Wire):
    """A host that is to be added."""

    inner_ip_address: Annotated[str, AfterValidator(_address)] = Field(
        description="its IP address", examples=["10.0.0.1"], json_schema_extra=_AN_ADDRESS
    )
    serial_number: Short | None = Field(None, description="kept and shown, no more")


_TOGETHER: JsonDict = {
    "allOf": [
        {
            "anyOf": [
                {"properties": {"hostBasicDataList": {"maxItems": 1}}},
                {"properties": {"alias": {"enum": [None, ""]}}},
            ]
        },
        {
            "anyOf": [
                {"properties": {"kind": {"not": {"const": HostKind.DEDICATED_CONTAINER.value}}}},
                {
                    "required": ["publishPorts"],
                    "properties": {"publishPorts": {"type": ["string", "array"], "minLength": 1, "minItems": 1}},
                },
            ]
        },
    ]
}
"""What no field says alone: an alias is for one host, a container has its ports."""


class NewHosts(Wire):
    """Hosts that are to be added. How workers log in and where the agent is are settings of the server."""

    model_config = ConfigDict(json_schema_extra=_TOGETHER)

    host_basic_data_list: list[HostBasicData] = Field(min_length=1, description="the hosts, at most 200, none twice")
    ssh_port: Annotated[int, Field(ge=1, le=_LARGEST_PORT), Integral] = Field(
        description="the TCP port of their sshd", examples=[22]
    )
    kind: HostKind = Field(description="what kind of machines they are", strict=False)
    publish_ports: Short | list[Short] | None = Field(
        None, description="the port mapping of a container, without which none is added", examples=["8080:8080"]
    )
    idc_id: Number = Field(description="kept and shown, no more", examples=[100])
    type_id: Number = Field(description="kept and shown, no more", examples=[1001])
    credential_id: Number = Field(
        description="OCP asks for it; not used and not kept, since workers log in with their own keys", examples=[1001]
    )
    alias: Short | None = Field(None, description="a name for people, of a single host; unique")
    description: Annotated[str, Field(max_length=_LONG)] | None = Field(None, description="kept and shown, no more")
