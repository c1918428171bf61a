"""The body of the request that pulls the fleet's brake: the reason."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from app.http.body import read_object, require_text
from app.http.request_state import note
from core.errors import InvalidRequest
from core.text import say

_MAX_LENGTH: Final = 300
"""How many characters a reason may have."""
_ONE_LINE: Final = r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
"""What a reason must match: something visible, no control characters and no line ends."""


async def read_reason(request: Request) -> str:
    """Read `{"reason": …}`.

    Raises:
        InvalidRequest: the reason is empty, too long, or has more than one line.
        UnsupportedMediaType, BodyTooLarge: as `read_object`.
    """
    fields = await read_object(request, '{"reason": "smoke in room 3"}', "reason")
    reason = parse_reason(require_text(fields, "reason"))
    note(request, {"reason": reason})
    return reason


Reason = Annotated[str, Depends(read_reason)]


def parse_reason(reason: str) -> str:
    """Return why the brake is pulled, without blanks around it.

    Raises:
        InvalidRequest: the reason is empty, too long, or has more than one line.
    """
    if len(reason) > _MAX_LENGTH or not re.fullmatch(_ONE_LINE, reason):
        sentence = say(
            "reason: write in one line of at most {most} characters why nothing may start.", most=_MAX_LENGTH
        )
        raise InvalidRequest("reason", reason[:_MAX_LENGTH], sentence)
    return reason.strip()


_REASON: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": _MAX_LENGTH,
    "pattern": f"^{_ONE_LINE}$",
    "description": "why nothing may start",
}
REASON_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["reason"],
                "additionalProperties": False,
                "properties": {"reason": _REASON},
            }
        }
    },
}
"""What the OpenAPI document says of the body."""
