"""What requests and replies have to do with the fleet's brake: why it is pulled, and the header that says it is on."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.recorder import note
from app.brake.service import checked_reason
from app.context import fleet_of
from app.http.request_state import exchange_of
from app.iam.body import read_fields, text_of
from core.errors import StoreUnavailable

HEADER: Final = "Fleet-Brake"
"""Stands, with the value `on`, in replies about tasks while the brake is on."""


async def read_reason(request: Request) -> str:
    """Read `{"reason": …}`. Raises as `read_fields`, and InvalidRequest where the reason cannot be one."""
    fields = await read_fields(request, '{"reason": "smoke in room 3"}', "reason")
    reason = checked_reason(text_of(fields, "reason"))
    note(request, {"reason": reason})
    return reason


Reason = Annotated[str, Depends(read_reason)]


async def tell_brake(request: Request) -> None:
    """Say in the reply's header that the brake is on, where it is.

    A store that does not answer costs the header, not the reply: what was asked for may be done already.
    """
    try:
        brake = await fleet_of(request).store.brake.get()
    except StoreUnavailable:
        return
    note_brake(request, on=brake is not None)


def note_brake(request: Request, *, on: bool) -> None:
    """Say in the reply's header that the brake is on, where it is."""
    if on:
        exchange_of(request).headers += ((HEADER, "on"),)
