"""Whether requests can be accepted and worked on."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from app.context import Fleet
from core.errors import FleetError
from core.text import Text, say

_CHECK_LIMIT = 3.0
"""Seconds that one part of a readiness check may take."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of each thing that is needed: None where it is there, else what is wrong. Holds no address and no secret."""

    store: Text | None
    broker: Text | None
    workers: Text | None


async def readiness(fleet: Fleet) -> Readiness:
    """See whether requests can be accepted and worked on."""
    store, broker, workers = await asyncio.gather(
        _answers(fleet.store.ping()), _answers(fleet.dispatcher.ping()), _staffed(fleet)
    )
    return Readiness(store, broker, workers)


async def brake_word(fleet: Fleet) -> Text:
    """Return whether what is accepted is done at once, or waits until the fleet's brake is released."""
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            braked = await fleet.store.brake.get()
    except (FleetError, TimeoutError):
        return say("not known, since the store does not answer")
    return say("on: what is accepted waits until it is released") if braked else say("off")


async def _staffed(fleet: Fleet) -> Text | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            alive = await fleet.store.workers.alive()
    except (FleetError, TimeoutError):
        return say("not known, since the store does not answer")
    return None if alive else say("none is alive; start one with `ocpfleet worker`")


async def _answers(ping: Awaitable[None]) -> Text | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            await ping
    except (FleetError, TimeoutError):
        return say("does not answer")
    return None
