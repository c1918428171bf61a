"""The query parameters of the list of tasks: which tasks, which page, which order. Unknown ones are refused."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request

from app.http.errors import InvalidParameter
from app.http.paging import (
    SORTS,
    PageParam,
    SizeParam,
    describe_words,
    parse_sort,
    refuse_unknown_parameters,
    split_words,
)
from app.http.parameters import MAX_ID, Whole, describe_choice
from core.status import TaskStatus
from core.task_types import TASK_TYPES
from core.text import say
from infra.store.task_values import TaskQuery

_KINDS: Final = ("MANUAL", "SYS_ONECE", "SCHEDULED", "SYS_SCHEDULED")
"""OCP's kinds of tasks, spelt as OCP spells them. Every task here is MANUAL."""
_KNOWN: Final = ("name", "status", "type", "hostId", "creator", "page", "size", "sort")


async def read_task_query(  # noqa: PLR0913, PLR0917 - as many as OCP has
    request: Request,
    name: Annotated[str | None, Query(description="tasks whose name contains this text, ignoring case")] = None,
    status: Annotated[
        list[str] | None, describe_words(TaskStatus), Query(description=f"{', '.join(TaskStatus)}; several with commas")
    ] = None,
    kind: Annotated[
        str | None,
        describe_choice(_KINDS),
        Query(alias="type", description="the kind of task; all tasks here are MANUAL"),
    ] = None,
    host_id: Annotated[
        int | None,
        Query(alias="hostId", ge=1, le=MAX_ID, description="tasks for this host alone, never batches"),
        Whole,
    ] = None,
    creator: Annotated[str | None, Query(description="tasks of the user of this name")] = None,
    page: PageParam = 1,
    size: SizeParam = 10,
    sort: Annotated[str, describe_choice(SORTS), Query(description="id,desc (newest first) or id,asc")] = "id,desc",
) -> TaskQuery:
    """Read which tasks a request queries.

    Raises:
        InvalidParameter: a parameter is unknown or invalid.
    """
    refuse_unknown_parameters(request, _KNOWN)
    statuses = split_words("status", status, tuple(TaskStatus))
    return TaskQuery(
        statuses=None if statuses is None else frozenset(map(TaskStatus, statuses)),
        types=_find_types(name, kind),
        creator=creator,
        host_id=host_id,
        offset=(page - 1) * size,
        limit=size,
        ascending=parse_sort(sort),
    )


QueriedTasks = Annotated[TaskQuery, Depends(read_task_query)]


def _find_types(name: str | None, kind: str | None) -> frozenset[str] | None:
    if kind is not None and kind not in _KINDS:
        sentence = say("type: {kind!r} is not a valid value. Write {known}.", kind=kind[:80], known=", ".join(_KINDS))
        raise InvalidParameter("type", kind, sentence)
    if kind not in {None, _KINDS[0]}:
        return frozenset()
    if not name:
        return None
    return frozenset(slug for slug, known in TASK_TYPES.items() if name.casefold() in known.name.casefold())
