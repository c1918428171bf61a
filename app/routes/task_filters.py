"""The parameters of the task list: which tasks, which page, which order. What is not known is refused."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema

from app.errors import InvalidParameter
from app.validation import LARGEST_PAGE, LONGEST_ID, Whole, one_of
from core.catalogue import TASK_TYPES
from core.status import TaskStatus
from core.words import say
from infra.store.base import TaskQuery

_KINDS: Final = ("MANUAL", "SYS_ONECE", "SCHEDULED", "SYS_SCHEDULED")
"""OCP's kinds of tasks, spelt as OCP spells them. Every task here is MANUAL."""
_SORTS: Final = {"id": True, "id,asc": True, "id,desc": False}
_WORD: Final = "|".join(TaskStatus)
_STATUSES: Final = WithJsonSchema({"type": "string", "pattern": f"^({_WORD})(,({_WORD}))*$"})
_KNOWN: Final = ("name", "status", "type", "hostId", "creator", "page", "size", "sort")


async def read_task_query(  # noqa: PLR0913, PLR0917 - as many as OCP has
    request: Request,
    name: Annotated[str | None, Query(description="tasks whose name contains this, in whatever case")] = None,
    status: Annotated[
        str | None, _STATUSES, Query(description="RUNNING, FAILED, SUCCESSFUL; several with commas")
    ] = None,
    kind: Annotated[
        str | None, one_of(_KINDS), Query(alias="type", description="MANUAL; nothing else is made here")
    ] = None,
    host_id: Annotated[
        int | None,
        Query(alias="hostId", ge=1, le=LONGEST_ID, description="tasks about this host alone, which no batch is"),
        Whole,
    ] = None,
    creator: Annotated[str | None, Query(description="tasks of the user of this name")] = None,
    page: Annotated[int, Query(ge=1, le=LONGEST_ID // LARGEST_PAGE, description="from 1"), Whole] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="tasks a page"), Whole] = 10,
    sort: Annotated[str, one_of(_SORTS), Query(description="id,desc (newest first) or id,asc")] = "id,desc",
) -> TaskQuery:
    """Read which tasks a request asks for.

    Raises:
        InvalidParameter: a parameter is not known, or holds what it cannot mean.
    """
    for given, value in request.query_params.items():
        if given not in _KNOWN:
            name = given[:80]
            sentence = say(
                "{name}: tasks cannot be filtered by it. There are {known}.", name=name, known=", ".join(_KNOWN)
            )
            raise InvalidParameter(name, value, sentence)
    if sort not in _SORTS:
        sentence = say("sort: tasks are listed in id order. Write id,desc or id,asc.")
        raise InvalidParameter("sort", sort, sentence)
    return TaskQuery(
        statuses=_statuses(status),
        types=_types(name, kind),
        creator=creator,
        host_id=host_id,
        offset=(page - 1) * size,
        limit=size,
        ascending=_SORTS[sort],
    )


AskedTasks = Annotated[TaskQuery, Depends(read_task_query)]


def _statuses(text: str | None) -> frozenset[TaskStatus] | None:
    if text is None:
        return None
    words = text.split(",")
    for word in words:
        if word not in TaskStatus.__members__:
            sentence = say(
                "status: {word!r} is none. Write {known}, several with commas.",
                word=word[:80],
                known=", ".join(TaskStatus),
            )
            raise InvalidParameter("status", text, sentence)
    return frozenset(map(TaskStatus, words))


def _types(name: str | None, kind: str | None) -> frozenset[str] | None:
    if kind is not None and kind not in _KINDS:
        sentence = say("type: {kind!r} is none. Write {known}.", kind=kind[:80], known=", ".join(_KINDS))
        raise InvalidParameter("type", kind, sentence)
    if kind not in {None, _KINDS[0]}:
        return frozenset()
    if not name:
        return None
    return frozenset(slug for slug, known in TASK_TYPES.items() if name.casefold() in known.name.casefold())
