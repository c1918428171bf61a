"""The body of a request that names hosts: `{"hostIds": [1001, 1002]}`.

A strict pydantic model reads a valid body; 10,000 ids take it about a millisecond. A body that the model refuses is
read again by hand: it may have whole numbers that are written otherwise, such as 1e3. If it is wrong, the error says
which field and which value is wrong, and what would be right.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.context import context_of
from app.http.body import MAX_SHOWN, name_kind, parse_object, quote, read_body, require_json
from app.http.parameters import MAX_ID
from app.http.request_state import note
from app.openapi.document import LIMITED_BY_MAX_HOSTS
from core.errors import InvalidRequest
from core.text import Text, say

_BODY_BYTES: Final = 1024
_BODY_BYTES_PER_HOST: Final = 48
"""Room for an id of 19 digits on a line of its own, deeply indented."""
_MISSPELT: Final = frozenset({"hostids", "hostid", "hostidlist", "hosts"})
"""Wrong names of the field, in lower case and without underscores. OCP's page of a batch restart prints the first."""


class _HostIdsBody(BaseModel):
    """The body of requests about agents."""

    model_config = ConfigDict(strict=True, extra="forbid")

    ids: list[Annotated[int, Field(ge=1, le=MAX_ID)]] = Field(alias="hostIds", min_length=1)


class _HostIdListBody(_HostIdsBody):
    """The body of a request that deletes hosts, where OCP has another name for the same field."""

    ids: list[Annotated[int, Field(ge=1, le=MAX_ID)]] = Field(alias="hostIdList", min_length=1)


async def read_host_ids(request: Request) -> tuple[int, ...]:
    """Read the body `{"hostIds": […]}` of a request. Returns distinct ids in the order given.

    Raises:
        UnsupportedMediaType: the request does not say that its body is JSON.
        BodyTooLarge: the body is longer than that of the largest request.
        InvalidRequest: the body is invalid; names the field and the value.
    """
    return await _read_ids(request, _HostIdsBody)


async def read_host_id_list(request: Request) -> tuple[int, ...]:
    """Read the body `{"hostIdList": […]}` of a request, as `read_host_ids` does."""
    return await _read_ids(request, _HostIdListBody)


HostIds = Annotated[tuple[int, ...], Depends(read_host_ids)]
HostIdList = Annotated[tuple[int, ...], Depends(read_host_id_list)]


async def _read_ids(request: Request, model: type[_HostIdsBody]) -> tuple[int, ...]:
    max_hosts, field = context_of(request).max_hosts, _name_field(model)
    require_json(request)
    limit = _BODY_BYTES + _BODY_BYTES_PER_HOST * max_hosts
    sentence = say(
        "The body is longer than {limit} bytes, more than any valid {field} need. Send fewer hosts at a time.",
        limit=limit,
        field=field,
    )
    host_ids = parse_host_ids(await read_body(request, limit, sentence), max_hosts, model)
    note(request, {field: host_ids})
    return host_ids


def _name_field(model: type[_HostIdsBody]) -> str:
    return str(model.model_fields["ids"].alias)


def parse_host_ids(body: bytes, max_hosts: int, model: type[_HostIdsBody] = _HostIdsBody) -> tuple[int, ...]:
    """Return the distinct host ids of a body, in the order given.

    Args:
        body: the body.
        max_hosts: how many ids are allowed, repeated ones included.
        model: what the body must look like.

    Raises:
        InvalidRequest: the body is invalid; names the field and the value.
    """
    try:
        host_ids: Sequence[int] = model.model_validate_json(body).ids
    except ValidationError:
        host_ids = _parse_by_hand(body, max_hosts, _name_field(model))
    if len(host_ids) > max_hosts:
        raise _refuse_count(len(host_ids), max_hosts, _name_field(model))
    return tuple(dict.fromkeys(host_ids))


def _parse_by_hand(body: bytes, max_hosts: int, field: str) -> Sequence[int]:
    example = f'{{"{field}": [1001, 1002]}}'
    document = parse_object(body, example)
    for name in document:
        if name != field:
            raise InvalidRequest(name[:MAX_SHOWN], document[name], _explain_unknown_field(name, field, example))
    host_ids = document.get(field)
    if host_ids is None:
        raise InvalidRequest(field, None, _explain_absence(field, example, is_null=field in document))
    if not isinstance(host_ids, list):
        kind = name_kind(host_ids)
        sentence = say("{field} is {kind}, not a list. Send {example}.", field=field, kind=kind, example=example)
        raise InvalidRequest(field, host_ids, sentence)
    if not host_ids:
        sentence = say("{field} is empty. Name at least one host: {example}.", field=field, example=example)
        raise InvalidRequest(field, [], sentence)
    if len(host_ids) > max_hosts:
        raise _refuse_count(len(host_ids), max_hosts, field)
    return [
        _check_id(host_id, f"{field}[{index}]") for index, host_id in enumerate(_parse_exactly(body, field, host_ids))
    ]


def _parse_exactly(body: bytes, field: str, host_ids: Sequence[object]) -> Sequence[object]:
    """Return the ids without loss: the fast parser makes fractions of whole numbers beyond 64 bits.

    A number with a fraction of zero or an exponent is whole if its value is, as in JSON Schema.
    """
    try:
        exact: Sequence[object] = json.loads(body, parse_float=_parse_number)[field]
    except (ValueError, ArithmeticError, RecursionError):  # more digits or levels than Python takes: keep the fraction
        return host_ids
    return exact


def _parse_number(text: str) -> int | float:
    number = Decimal(text)
    is_whole = abs(number) <= MAX_ID and number == number.to_integral_value()
    return int(number) if is_whole else float(text)


def _check_id(host_id: object, field: str) -> int:
    if type(host_id) is int and 1 <= host_id <= MAX_ID:
        return host_id
    raise InvalidRequest(field, host_id, _explain_wrong_id(field, host_id))


def _refuse_count(count: int, max_hosts: int, field: str) -> InvalidRequest:
    sentence = say(
        "{field} has {count} entries, more than the {most} allowed. Send several requests.",
        field=field,
        count=count,
        most=max_hosts,
    )
    return InvalidRequest(field, count, sentence)


def _explain_unknown_field(name: str, field: str, example: str) -> Text:
    shown = name[:MAX_SHOWN]
    if name.lower().replace("_", "") in _MISSPELT:
        return say(
            "{name}: there is no such field. It is called {field}. Send only {example}.",
            name=shown,
            field=field,
            example=example,
        )
    return say("{name}: there is no such field. Send only {example}.", name=shown, example=example)


def _explain_absence(field: str, example: str, *, is_null: bool) -> Text:
    if is_null:
        return say("{field} is null. Send the hosts' ids: {example}.", field=field, example=example)
    return say("{field} is missing. Send the hosts' ids: {example}.", field=field, example=example)


def _explain_wrong_id(field: str, value: object) -> Text:
    if type(value) is not int:
        return say(
            "{field}: {value} is {kind}, not a whole number. Write an id without quotes or fraction, such as 1001.",
            field=field,
            value=quote(value),
            kind=name_kind(value),
        )
    if value > MAX_ID:
        return say(
            "{field}: {value} is beyond 64 bits. An id is a whole number from 1 to {most}.",
            field=field,
            value=quote(value),
            most=MAX_ID,
        )
    return say(
        "{field}: {value} is not positive. An id is a whole number from 1 to {most}.",
        field=field,
        value=quote(value),
        most=MAX_ID,
    )


def _describe(model: type[_HostIdsBody]) -> dict[str, Any]:
    """Return what the OpenAPI document says of such a body."""
    field = _name_field(model)
    ids = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID},
        "description": "The hosts. A host that is named twice counts once.",
        LIMITED_BY_MAX_HOSTS: True,
    }
    schema = {"type": "object", "required": [field], "additionalProperties": False, "properties": {field: ids}}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


HOST_IDS_BODY: Final = _describe(_HostIdsBody)
HOST_ID_LIST_BODY: Final = _describe(_HostIdListBody)
