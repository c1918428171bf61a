"""What the OpenAPI document says of a route beside its summary: its reply, its errors, the permission it needs."""

from typing import Any, Final

from app.schemas import ErrorReply, Reply
from core.user import Permission, roles_granting

_ERRORS: Final = {
    400: "The request can never be done as it is: the error names the field and the value.",
    401: "No credentials, wrong ones, or (code 30007) none are looked at after many wrong passwords; then Retry-After.",
    403: "The user may not do this.",
    404: "Something that the request names does not exist.",
    413: "The body is too long.",
    415: "The body does not say that it is JSON.",
    429: "The user made too many requests; Retry-After says when to try again.",
    503: "The store or the broker does not answer. Nothing was done; Retry-After says when to try again.",
}

_WHOLE: Final = {"type": "integer"}
_RATE_HEADERS: Final = {
    "RateLimit-Limit": {"schema": _WHOLE, "description": "requests that the tightest window allows"},
    "RateLimit-Remaining": {"schema": _WHOLE, "description": "requests that it has left"},
    "RateLimit-Reset": {"schema": _WHOLE, "description": "seconds until it is over"},
}
_BEYOND: Final = "\n\nBeyond OCP, which has no such route."

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
    data: type[object],
    permission: Permission,
    *errors: int,
    body: dict[str, Any] | None = None,
    beyond_ocp: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route for its document.

    Args:
        data: the model of the reply's `data`.
        permission: what its caller needs.
        errors: the statuses of its errors, beside 401, 403, 429 and 503.
        body: its request body, where it takes one.
        beyond_ocp: whether OCP has no such route.
    """
    roles = ", ".join(roles_granting(permission))
    statuses = sorted({401, 403, 429, 503, *errors})
    return {
        "description": f"Needs the permission `{permission}` (roles {roles})." + _BEYOND * beyond_ocp,
        "responses": {
            200: {
                "model": Reply[data],  # type: ignore[valid-type]
                "description": "Done.",
                "headers": _RATE_HEADERS,
            },
            **{status: {"model": ErrorReply, "description": _ERRORS[status]} for status in statuses},
            "default": {"model": ErrorReply, "description": "Any other error, in the same envelope."},
        },
        "openapi_extra": {"x-required-permission": permission} | ({"requestBody": body} if body else {}),
    }
