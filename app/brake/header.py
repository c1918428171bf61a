"""The header that says in replies about tasks that the fleet's brake is on."""

from typing import Final

from fastapi import Request

from app.context import context_of
from app.http.request_state import state_of
from core.errors import StoreUnavailable

_HEADER: Final = "Fleet-Brake"
"""It has the value `on` while the brake is on, and is absent while it is off."""


async def read_brake_and_add_header(request: Request) -> None:
    """Add the header to the reply where the brake is on.

    A store that does not answer costs the header and not the reply, since the request may already be done.
    """
    try:
        brake = await context_of(request).store.brake.get()
    except StoreUnavailable:
        return
    add_brake_header(request, is_on=brake is not None)


def add_brake_header(request: Request, *, is_on: bool) -> None:
    """Add the header to the reply where the brake is on."""
    if is_on:
        state_of(request).headers += ((_HEADER, "on"),)
