"""Whether a client that asks again already has the answer (RFC 9110, ETag and If-None-Match)."""

from typing import Final

from starlette.requests import Request

from core.record import TaskRecord

_GZIP: Final = "-gzip"


def entity_tag(request: Request, task: TaskRecord) -> str:
    """Return the tag of a task as it stands: another one after every change, and for every form of the reply.

    It stands for the task, not for the envelope around it, whose time and trace id are always new.
    """
    form = _GZIP if "gzip" in request.headers.get("accept-encoding", "") else ""
    return f'"{task.id}-{task.started}-{task.changes}{form}"'


def has_it(request: Request, tag: str) -> bool:
    """Return whether the client says that it has what `tag` stands for, in whichever form."""
    wanted = _bare(tag)
    given = request.headers.get("if-none-match", "").split(",")
    return any(one.strip() == "*" or _bare(one) == wanted for one in given)


def _bare(tag: str) -> str:
    return tag.strip().removeprefix("W/").strip('"').removesuffix(_GZIP)
