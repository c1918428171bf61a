"""What the OpenAPI document says of a route beside its summary: its reply, its errors, the permission it needs."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from app.hosts.host_ids import HOST_ID_LIST, HOST_IDS, LONGEST_ID
from app.http.language.choice import Language
from app.http.schemas import Envelope, ErrorReply, Reply
from core.user import Permission, roles_granting

_FIRST_ERROR: Final = 400
_ERRORS: Final = {
    204: "The client has seen the end already: its Last-Event-ID is that of the message `end`.",
    304: "The client has it already: its If-None-Match names the ETag.",
    400: "The request can never be done as it is: the error names the field and the value.",
    401: "No credentials, wrong ones, or (code 30007) none are looked at after many wrong passwords; then Retry-After.",
    403: "The user may not do this.",
    404: "Something that the request names does not exist.",
    409: "What is asked for does not go with what is there, such as an Idempotency-Key of another request.",
    413: "The body is too long.",
    415: "The body does not say that it is JSON.",
    429: "The user made too many requests; Retry-After says when to try again.",
    502: "The host could not be reached, or did not do what was asked of it (code 10010).",
    503: "The store or the broker does not answer. Nothing was done; Retry-After says when to try again.",
}

_WHOLE: Final = {"type": "integer"}
_RATE_HEADERS: Final = {
    "RateLimit-Limit": {"schema": _WHOLE, "description": "requests that the tightest window allows"},
    "RateLimit-Remaining": {"schema": _WHOLE, "description": "requests that it has left"},
    "RateLimit-Reset": {"schema": _WHOLE, "description": "seconds until it is over"},
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
"""Headers that only errors of a status have."""
_BEYOND: Final = "\n\nBeyond OCP, which has no such route."


def _ids_body(field: str) -> dict[str, Any]:
    ids = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "integer", "format": "int64", "minimum": 1, "maximum": LONGEST_ID},
        "description": "The hosts; one that is named twice counts once.",
    }
    schema = {"type": "object", "required": [field], "additionalProperties": False, "properties": {field: ids}}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


HOST_IDS_BODY: Final = _ids_body(HOST_IDS)
HOST_ID_LIST_BODY: Final = _ids_body(HOST_ID_LIST)


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the document of a body that a model describes."""
    schema = model.model_json_schema()
    inline = _inlined(schema, schema.pop("$defs", {}))
    return {"required": True, "content": {"application/json": {"schema": inline}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema with what it refers to in its place: the OpenAPI document has no room for its definitions."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        meant = definitions[schema["$ref"].rpartition("/")[2]]
        return _inlined(meant | {name: part for name, part in schema.items() if name != "$ref"}, definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items()}


EVENTS: Final = """Messages until the task ends, at most four a second, each with a JSON document:

- `snapshot`: how the task stands (`status`, `operation`, `progress` of each step, `failedHostIds`: at most 1,000 of
  `failedHostCount`). The first message, unless `Last-Event-ID` says what the client knows.
- `progress`: the same, and in `changes` all that happened since the last message: `subtasks` gives by new status the
  ranges of ids (`[first, last]`), `openedStep` the index of a step that was opened, `rolledBackStep` that of one
  whose undoing began, `status` what the task became.
- `end`: the same once the task has ended; then the connection closes. With its id the answer is 204.
- `reset`: what happened since `Last-Event-ID` is not known any more; a snapshot follows.
- `unavailable`: `message` says why the stream ends before the task. Connect again with `Last-Event-ID`.

Comments (`:`) keep a quiet stream open.
"""
EVENT: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["snapshot", "progress", "end", "reset", "unavailable"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "description": "what Last-Event-ID takes up again"},
        "retry": {"type": "integer"},
    },
}
"""One message of a stream."""
ARCHIVE: Final = (
    "task_info.txt, with a line for each subtask in the order in which they run: its id, its status, and the ids "
    "that it waits for or `-`; and a file subtask_<id>_<run>.log for each run that has a log."
)


def documented(
    data: type[object] | None,
    permission: Permission,
    *errors: int,
    body: dict[str, Any] | None = None,
    beyond_ocp: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route for its document.

    Args:
        data: the model of the reply's `data`; None where it has none.
        permission: what its caller needs.
        errors: the statuses of its errors, beside 401, 403, 429 and 503.
        body: its request body, where it takes one.
        beyond_ocp: whether OCP has no such route.
    """
    model = Envelope if data is None else Reply[data]  # type: ignore[valid-type]
    done = {"model": model, "description": "Done."}
    document = _document(done, permission, errors, {"requestBody": body} if body else {})
    document["description"] += _BEYOND * beyond_ocp
    return document


def documented_stream(
    media_type: str,
    description: str,
    permission: Permission,
    *errors: int,
    item: dict[str, Any] | None = None,
    beyond_ocp: bool = False,
) -> dict[str, Any]:
    """Return the same for a route whose reply comes without an envelope, while it is made.

    Args:
        media_type: the reply's.
        description: what it holds.
        permission: what its caller needs.
        errors: the statuses of its errors, as in `documented`.
        item: the schema of each part, where it comes in parts.
        beyond_ocp: whether OCP has no such route.
    """
    schema: dict[str, Any] = {"itemSchema": item} if item else {"schema": {"type": "string"}}
    done = {"content": {media_type: schema}, "description": description}
    document = _document(done, permission, errors, {})
    document["description"] += _BEYOND * beyond_ocp
    return document


def _document(
    done: dict[str, Any], permission: Permission, errors: Iterable[int], extra: dict[str, Any]
) -> dict[str, Any]:
    roles = ", ".join(roles_granting(permission))
    statuses = sorted({401, 403, 429, 503, *errors})
    return {
        "description": f"Needs the permission `{permission}` (roles {roles}).",
        "responses": {
            200: done | {"headers": _RATE_HEADERS},
            **{status: _refused(status) for status in statuses},
            "default": {"model": ErrorReply, "description": "Any other error, in the same envelope."},
        },
        "openapi_extra": {"x-required-permission": permission} | extra,
    }


def _refused(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _ERRORS[status]}
    if status < _FIRST_ERROR:
        return described
    return described | {"model": ErrorReply, "headers": _ERROR_HEADERS | _MORE_HEADERS.get(status, {})}
