"""What the OpenAPI document says of the bodies of requests about users and access keys."""

from typing import Any

from app.auth.passwords import MAX_PASSWORD_LENGTH
from app.iam.access_keys import MAX_DESCRIPTION_LENGTH, ONE_LINE
from app.iam.users import MIN_PASSWORD_LENGTH, NAME_PATTERN
from core.user import Role

_ROLES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "enum": list(Role)},
    "description": "what it may do",
}
_PASSWORD = {
    "type": ["string", "null"],
    "minLength": MIN_PASSWORD_LENGTH,
    "maxLength": MAX_PASSWORD_LENGTH,
    "description": "left out: one is generated and shown once in the reply",
}
_NAME = {"type": "string", "pattern": f"^{NAME_PATTERN}$", "description": "letters, digits and . _ @ -"}
_DESCRIPTION = {
    "type": ["string", "null"],
    "maxLength": MAX_DESCRIPTION_LENGTH,
    "pattern": f"^{ONE_LINE}$",
    "description": "what it is for",
}


def _describe_body(required: list[str], **properties: object) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "additionalProperties": False, "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


USER_BODY = _describe_body(["name", "roles"], name=_NAME, roles=_ROLES, password=_PASSWORD)
PASSWORD_BODY = _describe_body([], password=_PASSWORD)
ROLES_BODY = _describe_body(["roles"], roles=_ROLES)
KEY_BODY = _describe_body(
    ["user"], user={"type": "string", "description": "whose permissions it has"}, description=_DESCRIPTION
)
