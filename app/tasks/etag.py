"""The entity tag of a task, by which a client that asks again learns that nothing has changed (RFC 9110)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from core.record import TaskRecord

_GZIP: Final = "-gzip"
_NOT_MODIFIED: Final = 304


def make_etag(request: Request, task: TaskRecord) -> str:
    """Return the tag of a task. Every change gives another tag, and so does every form of the reply.

    The tag is that of the task and not of the envelope, whose time and trace id are always new.
    """
    form = _GZIP if "gzip" in request.headers.get("accept-encoding", "") else ""
    return f'"{task.id}-{task.started}-{task.changes}{form}"'


def has_current(request: Request, tag: str) -> bool:
    """Return whether the client says that it already has the reply with this tag, in any form."""
    wanted = _strip(tag)
    given = request.headers.get("if-none-match", "").split(",")
    return any(one.strip() == "*" or _strip(one) == wanted for one in given)


def build_cache_headers(tag: str) -> dict[str, str]:
    """Return the headers of a reply that a client may keep, if it asks each time whether it still holds."""
    return {"Cache-Control": "private, no-cache", "ETag": tag}


def reply_not_modified(tag: str) -> Response:
    """Return the reply to a client that already has the current one."""
    return Response(None, _NOT_MODIFIED, build_cache_headers(tag) | {"Vary": "Accept-Encoding"})


def _strip(tag: str) -> str:
    return tag.strip().removeprefix("W/").strip('"').removesuffix(_GZIP)
