"""Checks whether requests can be accepted and done."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from app.context import Context
from core.errors import FleetError
from core.text import Text, say

_CHECK_LIMIT = 3.0
"""Seconds that each part of the check may take."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is wrong with each thing that is needed; None where nothing is. Holds no address and no secret."""

    store: Text | None
    broker: Text | None
    workers: Text | None


async def check_readiness(context: Context) -> Readiness:
    """Check whether requests can be accepted and done."""
    store, broker, workers = await asyncio.gather(
        _check_answer(context.store.ping()), _check_answer(context.dispatcher.ping()), _check_workers(context)
    )
    return Readiness(store, broker, workers)


async def describe_brake(context: Context) -> Text:
    """Say whether accepted requests are done at once, or wait until the fleet's brake is released."""
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            braked = await context.store.brake.get()
    except (FleetError, TimeoutError):
        return say("unknown, since the store does not answer")
    return say("on: accepted requests wait until it is released") if braked else say("off")


async def _check_workers(context: Context) -> Text | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            alive = await context.store.workers.alive()
    except (FleetError, TimeoutError):
        return say("unknown, since the store does not answer")
    return None if alive else say("no worker is alive; start one with `ocpfleet worker`")


async def _check_answer(ping: Awaitable[None]) -> Text | None:
    try:
        async with asyncio.timeout(_CHECK_LIMIT):
            await ping
    except (FleetError, TimeoutError):
        return say("does not answer")
    return None
