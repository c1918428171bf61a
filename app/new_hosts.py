"""The body of a request that adds hosts: OCP's, checked, with what the server's settings add to it."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import ValidationError

from app.audit import note
from app.body import read_body
from app.fleet import fleet_of
from app.host_schemas import NewHosts
from app.validation import expect_json
from core.errors import InvalidRequest
from core.host import HostDetails, HostKind, Target
from infra.settings import InventorySettings
from infra.store.base import CHUNK, NewHost

LIST: Final = "hostBasicDataList"
_MOST_BYTES: Final = 256 * 1024
_SHOWN: Final = 80


async def read_new_hosts(request: Request) -> tuple[NewHost, ...]:
    """Read the body of a request that adds hosts.

    Raises:
        UnsupportedMediaType: it does not say that it is JSON.
        BodyTooLarge: it is longer than that of the largest request.
        InvalidRequest: it can never be done; names the field and the value.
    """
    expect_json(request)
    sentence = f"The body is longer than {_MOST_BYTES} bytes, more than {CHUNK} hosts take. Send fewer hosts at a time."
    hosts = checked_new_hosts(await read_body(request, _MOST_BYTES, sentence), fleet_of(request).inventory)
    note(request, {"innerIpAddress": [host.target.address for host in hosts]})
    return hosts


AddedHosts = Annotated[tuple[NewHost, ...], Depends(read_new_hosts)]


def checked_new_hosts(body: bytes, inventory: InventorySettings) -> tuple[NewHost, ...]:
    """Return the hosts of a body.

    Args:
        body: what was sent.
        inventory: how hosts are reached, as far as the body does not say.

    Raises:
        InvalidRequest: naming the field and the value at fault.
    """
    try:
        asked = NewHosts.model_validate_json(body)
    except ValidationError as error:
        raise _fault(error) from None
    _check_together(asked)
    details = HostDetails(
        kind=asked.kind,
        idc_id=asked.idc_id,
        type_id=asked.type_id,
        publish_ports=_joined(asked.publish_ports),
        description=asked.description or None,
    )
    return tuple(
        NewHost(
            _target(one.inner_ip_address, asked.ssh_port, inventory),
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


def _target(address: str, port: int, inventory: InventorySettings) -> Target:
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


def _joined(ports: str | Sequence[str] | None) -> str | None:
    if ports is None or isinstance(ports, str):
        return ports or None
    return ",".join(ports) or None


def _check_together(asked: NewHosts) -> None:
    """Check what no field can be asked alone."""
    count = len(asked.host_basic_data_list)
    if count > CHUNK:
        raise InvalidRequest(LIST, count, f"{LIST} has {count} entries, more than the {CHUNK} allowed at a time.")
    if asked.alias and count > 1:
        sentence = f"alias: {asked.alias} would be the name of {count} hosts. Give one only where one host is added."
        raise InvalidRequest("alias", asked.alias, sentence)
    if asked.kind is HostKind.DEDICATED_CONTAINER and not asked.publish_ports:
        sentence = 'publishPorts is missing. A container is added with its port mapping, such as "8080:8080".'
        raise InvalidRequest("publishPorts", None, sentence)
    seen: dict[str, int] = {}
    for index, one in enumerate(asked.host_basic_data_list):
        first = seen.setdefault(one.inner_ip_address, index)
        if first != index:
            field = f"{LIST}[{index}].innerIpAddress"
            sentence = f"{field}: {one.inner_ip_address} is {LIST}[{first}] too. Name each host once."
            raise InvalidRequest(field, one.inner_ip_address, sentence)


def _fault(error: ValidationError) -> InvalidRequest:
    """Return the first thing that is wrong with a body, in the words of the other refusals."""
    first = error.errors(include_url=False)[0]
    field = _named(first["loc"])
    match first["type"]:
        case "json_invalid":
            return InvalidRequest("body", None, f"The body is not JSON ({first['msg']}). See /docs for what to send.")
        case "missing":
            return InvalidRequest(field, None, f"{field} is missing. See /docs for what to send.")
        case "extra_forbidden":
            return InvalidRequest(
                field, first["input"], f"{field}: there is no such field. See /docs for what to send."
            )
        case _:
            reason = first["msg"].removeprefix("Value error, ")
            shown = str(first["input"])[:_SHOWN]
            return InvalidRequest(field, first["input"], f"{field}: {shown} is not right: {reason}.")


def _named(place: Sequence[int | str]) -> str:
    """Return a field as clients write it: hostBasicDataList[0].innerIpAddress."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "body"
