"""The model of a body that adds hosts. It reads the body, and it is the body's schema in the OpenAPI document."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from app.http.parameters import MAX_ID
from app.http.schemas import Wire
from core.host import HostKind, parse_host_address
from core.text import say

_MAX_PORT = 65535
_MAX_SHORT = 128
"""How many characters an alias, a serial number or a port mapping may have."""
_MAX_LONG = 1024
"""How many characters a description may have."""


_WITHOUT_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""Text without control characters, so that it is shown in one line everywhere."""


def _check_address(text: str) -> str:
    try:
        return parse_host_address(text)
    except ValueError:
        raise ValueError(
            say("not the IP address of a host. Write the host's own, such as 10.0.0.7 or fd00::7")
        ) from None


def _check_printable(text: str) -> str:
    if not re.fullmatch(_WITHOUT_CONTROLS, text):
        raise ValueError(say("not printable. Write printable characters only"))
    return text


def _to_integer(value: object) -> object:
    """Return a whole number as an integer: in JSON 22.0 is the same as 22."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integral = BeforeValidator(_to_integer)
"""Takes 22.0 for 22. It comes last: before the limits of the number it would hide them from the OpenAPI document."""
Number = Annotated[int, Field(ge=1, le=MAX_ID), Integral]
Short = Annotated[
    str,
    Field(max_length=_MAX_SHORT, json_schema_extra={"pattern": _WITHOUT_CONTROLS}),
    AfterValidator(_check_printable),
]


_AN_ADDRESS: JsonDict = {
    "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
    "not": {"pattern": r"^(0\.0\.0\.0$|2(2[4-9]|3\d)\.|[fF][fF]|[0:]+$)"},
}
"""An address that a host can have: it is neither unspecified nor multicast."""


class HostBasicData(Wire):
    """A host that is to be added."""

    inner_ip_address: Annotated[str, AfterValidator(_check_address)] = Field(
        description="its IP address", examples=["10.0.0.1"], json_schema_extra=_AN_ADDRESS
    )
    serial_number: Short | None = Field(None, description="stored and shown, and otherwise unused")


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
"""Rules about several fields: only one host can have an alias, and a container needs its ports."""


class NewHosts(Wire):
    """Hosts that are to be added. How workers log in and where the agent is are settings of the server."""

    model_config = ConfigDict(json_schema_extra=_TOGETHER)

    host_basic_data_list: list[HostBasicData] = Field(min_length=1, description="the hosts: at most 200, each once")
    ssh_port: Annotated[int, Field(ge=1, le=_MAX_PORT), Integral] = Field(
        description="the TCP port of their sshd", examples=[22]
    )
    kind: HostKind = Field(description="what kind of machines they are", strict=False)
    publish_ports: Short | list[Short] | None = Field(
        None, description="the port mapping; required for a container", examples=["8080:8080"]
    )
    idc_id: Number = Field(description="stored and shown, and otherwise unused", examples=[100])
    type_id: Number = Field(description="stored and shown, and otherwise unused", examples=[1001])
    credential_id: Number = Field(
        description="OCP requires it; it is neither used nor stored, since workers log in with their own keys",
        examples=[1001],
    )
    alias: Short | None = Field(None, description="a unique name for people; only for a single host")
    description: Annotated[str, Field(max_length=_MAX_LONG)] | None = Field(
        None, description="stored and shown, and otherwise unused"
    )
