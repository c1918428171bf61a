"""What the OpenAPI document says of a route beside its summary: its reply, its errors, the permission it needs."""

from typing import Any, Final

from app.schemas import Envelope, ErrorReply, Reply
from core.user import Permission, roles_granting

_ERRORS: Final = {
    400: "The request can never be done as it is: the error names the field and the value.",
    401: "No credentials, or wrong ones.",
    403: "The user may not do this.",
    404: "Something that the request names does not exist.",
    413: "The body is too long.",
    415: "The body does not say that it is JSON.",
    503: "The store or the broker does not answer. Nothing was done; Retry-After says when to try again.",
}

HOST_IDS_BODY: Final = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["hostIds"],
                "additionalProperties": False,
                "properties": {
                    "hostIds": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "integer", "format": "int64", "minimum": 1},
                        "description": "The hosts; one that is named twice counts once.",
                    }
                },
            },
            "example": {"hostIds": [1001, 1002]},
        }
    },
}


def documented(
    data: type[object] | None, permission: Permission, *errors: int, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of a route for its document.

    Args:
        data: the model of the reply's `data`; None where it has none.
        permission: what its caller needs.
        errors: the statuses of its errors, beside 401, 403 and 503.
        body: its request body, where it takes one.
    """
    roles = ", ".join(roles_granting(permission))
    statuses = sorted({401, 403, 503, *errors})
    return {
        "description": f"Needs the permission `{permission}` (roles {roles}).",
        "responses": {
            200: {"model": Envelope if data is None else Reply[data], "description": "Done."},  # type: ignore[valid-type]
            **{status: {"model": ErrorReply, "description": _ERRORS[status]} for status in statuses},
            "default": {"model": ErrorReply, "description": "Any other error, in the same envelope."},
        },
        "openapi_extra": {"x-required-permission": permission} | ({"requestBody": body} if body else {}),
    }
