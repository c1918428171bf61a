"""Describes a route in the OpenAPI document: its reply, its errors, and the permission that it needs."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from app.http.language.choice import Language
from app.http.schemas import Envelope, ErrorReply, Reply
from core.user import Permission, roles_granting

_FIRST_ERROR: Final = 400
_ERRORS: Final = {
    204: "The client has already seen the end: its Last-Event-ID is that of the message `end`.",
    304: "The client already has the current reply: its If-None-Match names the ETag.",
    400: "The request is invalid. The error names the field and the value.",
    401: "Credentials are missing or wrong, or the client is locked out after many wrong passwords (code 30007).",
    403: "The user does not have the permission.",
    404: "Something that the request names does not exist.",
    409: "The request conflicts with the current state, or its Idempotency-Key is that of another request.",
    413: "The body is too long.",
    415: "The request does not say that its body is JSON.",
    429: "The user made too many requests. Retry-After says when to try again.",
    502: "The host could not be reached, or the operation failed there (code 10010).",
    503: "The store or the broker does not answer. Nothing was done; Retry-After says when to try again.",
}

_WHOLE: Final = {"type": "integer"}
_RATE_HEADERS: Final = {
    "RateLimit-Limit": {"schema": _WHOLE, "description": "how many requests the tightest window allows"},
    "RateLimit-Remaining": {"schema": _WHOLE, "description": "how many more requests it allows"},
    "RateLimit-Reset": {"schema": _WHOLE, "description": "seconds until it ends"},
}
_ERROR_HEADERS: Final = {
    "Content-Language": {
        "schema": {"type": "string", "enum": [*Language]},
        "required": True,
        "description": "the language of the messages",
    }
}
_CHALLENGE: Final = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True, "description": "HTTP Basic"}}
_LATER: Final = {"Retry-After": {"schema": _WHOLE, "required": True, "description": "seconds after which to try again"}}
_MORE_HEADERS: Final = {401: _CHALLENGE, 429: _LATER, 503: _LATER}
"""Headers that only errors with this status have."""
_BEYOND: Final = "\n\nBeyond OCP, which has no such route."


def describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a body that a pydantic model reads."""
    schema = model.model_json_schema()
    inline = _inline(schema, schema.pop("$defs", {}))
    return {"required": True, "content": {"application/json": {"schema": inline}}}


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Replace the references of a schema by what they refer to: the OpenAPI document has no place for definitions."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        meant = definitions[schema["$ref"].rpartition("/")[2]]
        return _inline(meant | {name: part for name, part in schema.items() if name != "$ref"}, definitions)
    return {name: _inline(part, definitions) for name, part in schema.items()}


def describe_operation(
    data: type[object] | None,
    permission: Permission,
    *errors: int,
    body: dict[str, Any] | None = None,
    beyond_ocp: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route that describe it.

    Args:
        data: the schema of the reply's `data`; None where the reply has no data.
        permission: the permission that its caller needs.
        errors: the statuses of its errors, besides 401, 403, 429 and 503, which all routes have.
        body: the description of its body, where it takes one.
        beyond_ocp: whether OCP has no such route.
    """
    model = Envelope if data is None else Reply.__class_getitem__(data)
    done = {"model": model, "description": "Done."}
    document = _build_operation(done, permission, errors, {"requestBody": body} if body else {})
    document["description"] += _BEYOND * beyond_ocp
    return document


def describe_stream(
    media_type: str,
    description: str,
    permission: Permission,
    *errors: int,
    item: dict[str, Any] | None = None,
    beyond_ocp: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route whose reply is streamed, without an envelope.

    Args:
        media_type: the media type of the reply.
        description: what the reply holds.
        permission: the permission that its caller needs.
        errors: the statuses of its errors, as in `describe_operation`.
        item: the schema of each part, where the reply comes in parts.
        beyond_ocp: whether OCP has no such route.
    """
    schema: dict[str, Any] = {"itemSchema": item} if item else {"schema": {"type": "string"}}
    done = {"content": {media_type: schema}, "description": description}
    document = _build_operation(done, permission, errors, {})
    document["description"] += _BEYOND * beyond_ocp
    return document


def _build_operation(
    done: dict[str, Any], permission: Permission, errors: Iterable[int], extra: dict[str, Any]
) -> dict[str, Any]:
    roles = ", ".join(roles_granting(permission))
    statuses = sorted({401, 403, 429, 503, *errors})
    return {
        "description": f"Needs the permission `{permission}` (roles {roles}).",
        "responses": {
            200: done | {"headers": _RATE_HEADERS},
            **{status: _describe_error(status) for status in statuses},
            "default": {"model": ErrorReply, "description": "Any other error, in the same envelope."},
        },
        "openapi_extra": {"x-required-permission": permission} | extra,
    }


def _describe_error(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _ERRORS[status]}
    if status < _FIRST_ERROR:
        return described
    return described | {"model": ErrorReply, "headers": _ERROR_HEADERS | _MORE_HEADERS.get(status, {})}
