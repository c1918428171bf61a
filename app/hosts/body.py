"""Reads the body of a request that adds hosts, and completes it with the server's settings."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.context import context_of
from app.hosts.new_hosts import NewHosts
from app.http.body import quote, read_body, require_json
from app.http.reasons import explain
from app.http.request_state import note
from core.errors import InvalidRequest
from core.host import HostDetails, HostKind, Target
from core.text import say
from infra.settings import InventorySettings
from infra.store.host_values import NewHost
from infra.store.values import CHUNK

LIST: Final = "hostBasicDataList"
_MAX_BYTES: Final = 256 * 1024
_MAX_SHOWN: Final = 80


async def read_new_hosts(request: Request) -> tuple[NewHost, ...]:
    """Read the body of a request that adds hosts.

    Raises:
        UnsupportedMediaType: the request does not say that its body is JSON.
        BodyTooLarge: the body is longer than that of the largest request.
        InvalidRequest: the body is invalid; names the field and the value.
    """
    require_json(request)
    sentence = say(
        "The body is longer than {limit} bytes, more than {count} hosts need. Send fewer hosts at a time.",
        limit=_MAX_BYTES,
        count=CHUNK,
    )
    hosts = parse_new_hosts(await read_body(request, _MAX_BYTES, sentence), context_of(request).inventory)
    note(request, {"innerIpAddress": [host.target.address for host in hosts]})
    return hosts


AddedHosts = Annotated[tuple[NewHost, ...], Depends(read_new_hosts)]


def parse_new_hosts(body: bytes, inventory: InventorySettings) -> tuple[NewHost, ...]:
    """Return the hosts of a body.

    Args:
        body: the body.
        inventory: how workers reach hosts, where the body does not say so.

    Raises:
        InvalidRequest: the body is invalid; names the field and the value.
    """
    try:
        asked = NewHosts.model_validate_json(body)
    except ValidationError as error:
        raise _explain_refusal(error) from None
    _check_together(asked)
    details = HostDetails(
        kind=asked.kind,
        idc_id=asked.idc_id,
        type_id=asked.type_id,
        publish_ports=_join_ports(asked.publish_ports),
        description=asked.description or None,
    )
    return tuple(
        NewHost(
            _build_target(one.inner_ip_address, asked.ssh_port, inventory),
            asked.alias or None,
            HostDetails(
                details.kind,
                details.idc_id,
                details.type_id,
                details.publish_ports,
                one.serial_number or None,
                details.description,
            ),
        )
        for one in asked.host_basic_data_list
    )


def _build_target(address: str, port: int, inventory: InventorySettings) -> Target:
    return Target(
        host_id=0,  # the store gives it
        address=address,
        port=port,
        user=inventory.ssh_user,
        agent_home=inventory.agent_home,
        agent_prefix=inventory.agent_prefix,
        sudo=inventory.sudo,
        host_key=None,
    )


def _join_ports(ports: str | Sequence[str] | None) -> str | None:
    if ports is None or isinstance(ports, str):
        return ports or None
    return ",".join(ports) or None


def _check_together(asked: NewHosts) -> None:
    """Check what concerns several fields."""
    count = len(asked.host_basic_data_list)
    if count > CHUNK:
        sentence = say(
            "{field} has {count} entries, more than the {most} allowed. Send several requests.",
            field=LIST,
            count=count,
            most=CHUNK,
        )
        raise InvalidRequest(LIST, count, sentence)
    if asked.alias and count > 1:
        sentence = say(
            "alias: {alias} cannot be the alias of {count} hosts. Send an alias only for a single host.",
            alias=asked.alias,
            count=count,
        )
        raise InvalidRequest("alias", asked.alias, sentence)
    if asked.kind is HostKind.DEDICATED_CONTAINER and not asked.publish_ports:
        sentence = say("publishPorts is missing. A container needs its port mapping, such as 8080:8080.")
        raise InvalidRequest("publishPorts", None, sentence)
    _check_addresses([one.inner_ip_address for one in asked.host_basic_data_list])


def _check_addresses(addresses: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for index, address in enumerate(addresses):
        first = seen.setdefault(address, index)
        if first != index:
            field = f"{LIST}[{index}].innerIpAddress"
            sentence = say(
                "{field}: {address} is the same host as {other}. Name each host once.",
                field=field,
                address=address,
                other=f"{LIST}[{first}]",
            )
            raise InvalidRequest(field, address, sentence)


def _explain_refusal(error: ValidationError) -> InvalidRequest:
    """Return the first problem of a body, in the words of the other refusals."""
    first = error.errors(include_url=False)[0]
    field = _name_field(first)
    match first["type"]:
        case "json_invalid":
            sentence = say("The body is not JSON ({reason}). See /docs for what to send.", reason=first["msg"])
            return InvalidRequest("body", None, sentence)
        case "missing":
            return InvalidRequest(field, None, say("{field} is missing. See /docs for what to send.", field=field))
        case "extra_forbidden":
            sentence = say("{field}: there is no such field. See /docs for what to send.", field=field)
            return InvalidRequest(field, first["input"], sentence)
        case kind:
            sentence = say(
                "{field}: {value} is {reason}.",
                field=field,
                value=quote(first["input"]),
                reason=explain(
                    kind, first.get("ctx"), say("not a valid value of the field. /docs describes the field")
                ),
            )
            return InvalidRequest(field, first["input"], sentence)


def _name_field(fault: ErrorDetails) -> str:
    """Return the name of a field as clients write it, such as hostBasicDataList[0].innerIpAddress.

    Where a field takes values of several kinds, pydantic adds the kind that it tried. That is not part of the name.
    """
    asked = [part for part in fault["loc"] if isinstance(part, int) or part.isalpha()]
    place = fault["loc"] if fault["type"] == "extra_forbidden" else asked
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")[:_MAX_SHOWN] or "body"
